// SPDX-License-Identifier: Apache-2.0
// parse and filter --text-only: a line for every line, whatever its bytes; order, formats, broken pipes.
#include <unistd.h>
#include <zlib.h>

#include "check.h"
#include "run.h"

static const char *const three = "a dog running in the snow\n\nred car\n";

static int lines(const char *text)
{
    int n = 0;
    for (; *text; text++)
        n += *text == '\n';
    return n;
}

static void concepts_are_counted_once_a_caption(void)
{
    scratch_file("said.txt", "a black dog chasing a black dog\nDogs chasing cats\nno\na black cat chasing a small dog\n");
    CHECK(diht("parse --concepts said.txt") == 0);
    CHECK_STR(out, "object\tdog\t3\nattribute\tblack\t2\nobject\tcat\t2\nattribute\tsmall\t1\n");
    CHECK(diht("parse --concepts --json said.txt") == 0 && lines(out) == 4);
    CHECK(strstr(out, "{\"kind\": \"object\", \"lemma\": \"dog\", \"captions\": 3}\n") == out);
    CHECK(diht("parse --concepts --complexity 9 said.txt") == 0 && out[0] == '\0');
    CHECK(diht("parse --concepts --explain said.txt") == 2 && said("--concepts"));
}

static void parse_answers_every_line(void)
{
    scratch_file("three.txt", three);
    CHECK(diht("parse three.txt") == 0 && lines(out) == 3);
    CHECK(strstr(out, "\"predicate\": \"run in\"") && strstr(out, "\"keep\": true") && strstr(out, "\"objects\": []"));
    CHECK(diht("parse <three.txt") == 0 && lines(out) == 3);
    CHECK(diht("parse --complexity 2 <three.txt") == 0 && !strstr(out, "\"keep\": true"));
    CHECK(diht("parse --no-action <three.txt") == 0 && strstr(strstr(out, "\"car\""), "\"keep\": true"));
    CHECK(diht("parse --explain <three.txt") == 0 && strstr(out, "dog --run in--> snow"));
    CHECK(diht("parse </dev/null") == 0 && out[0] == '\0');
    CHECK(diht("parse --explain --json three.txt") == 2 && diht("parse --complexity -1 three.txt") == 2);
    CHECK(diht("parse gone.txt") == 1 && said("gone.txt"));
}

// CRLF, NUL bytes, bytes that are no UTF-8, a last line without its end; what is printed is JSON all the same
static void bytes_are_captions(void)
{
    FILE *f = fopen("bytes.txt", "wb");
    static const char bytes[] = "a dog runs\r\n\0\0\n\xff\xfe a \xc3( cat \x80\n<b>\n((((\na \"red\\ car";
    CHECK(f && fwrite(bytes, 1, sizeof bytes - 1, f) == sizeof bytes - 1 && fclose(f) == 0);
    CHECK(diht("parse bytes.txt") == 0 && lines(out) == 6 && strstr(out, "\"dog\"") && !strstr(out, "\\r"));
    CHECK(diht("filter --text-only bytes.txt") == 0 && lines(out) == 6);
    f = fopen("long.txt", "wb");
    for (int i = 0; f && i < 3000000; i++)
        fputc(i == 1000000 ? '\n' : "([{<"[i & 3], f);
    CHECK(f && fclose(f) == 0);
    CHECK(diht("filter --text-only long.txt") == 0 && strcmp(out, "drop\tunparsable\t0\t0\ndrop\tunparsable\t0\t0\n") == 0);
}

static void filter_says_why(void)
{
    scratch_file("three.txt", three);
    CHECK(diht("filter --text-only three.txt") == 0);
    CHECK_STR(out, "keep\tkept\t1\t1\ndrop\tunparsable\t0\t0\ndrop\taction\t1\t0\n");
    CHECK(diht("filter --text-only --no-action <three.txt") == 0 && strstr(out, "keep\tkept\t1\t0\n"));
    CHECK(diht("filter --text-only --complexity 2 <three.txt") == 0 && strstr(out, "drop\tcomplexity\t1\t1\n"));
    CHECK(diht("filter --text-only --pass <three.txt") == 0 && strcmp(out, "a dog running in the snow\n") == 0);
    CHECK(diht("filter --text-only --json <three.txt") == 0 && lines(out) == 3);
    CHECK(strstr(out, "{\"keep\": false, \"reason\": \"action\", \"complexity\": 1, \"n_actions\": 0}"));
    CHECK(diht("filter --text-only --json --pass three.txt") == 2 && diht("filter --text-only --complexity -1") == 2);
    CHECK(diht("filter --text-only --format xml three.txt") == 2 && said("xml"));
    CHECK(diht("filter --text-only --column 0 three.txt") == 2 && diht("filter --text-only x.csv") == 2);
}

static void filter_cuts_boilerplate(void)
{
    scratch_file("page.txt", "Follow us on Twitter\nView larger image of a red car\na dog runs (click to enlarge)\n\n");
    CHECK(diht("filter --text-only page.txt") == 0 && strncmp(out, "keep\tkept\t1\t1\nkeep\tkept\t", 24) == 0);
    CHECK(diht("filter --text-only --boilerplate page.txt") == 0);
    CHECK_STR(out, "drop\tboilerplate\t0\t0\ndrop\taction\t1\t0\nkeep\tkept\t1\t1\ndrop\tunparsable\t0\t0\n");
    CHECK(diht("filter --text-only --boilerplate --pass page.txt") == 0 && strcmp(out, "a dog runs (click to enlarge)\n") == 0);
    CHECK(diht("filter page.txt --boilerplate --json --html page.html") == 0 && json_line());
    CHECK(strstr(out, "\"boilerplate\": 1") && strstr(out, "\"kept\": 1"));
    CHECK(diht("filter page.txt --json") == 0 && strstr(out, "\"boilerplate\": 0") && strstr(out, "\"kept\": 3"));
}

static void filter_reads_columns_and_keys(void)
{
    scratch_file("a.tsv", "url\tcaption\r\nx\ta dog runs\r\ny\r\n");
    CHECK(diht("filter --text-only a.tsv") == 0);
    CHECK_STR(out, "verdict\treason\tcomplexity\tactions\nkeep\tkept\t1\t1\ndrop\tunreadable\t0\t0\n");
    CHECK(diht("filter --text-only a.tsv --pass") == 0 && strcmp(out, "url\tcaption\r\nx\ta dog runs\r\n") == 0);
    CHECK(diht("filter --text-only --field url --json a.tsv") == 0 && strstr(out, "{\"header\": true}\n"));
    scratch_file("b.tsv", "x\ta dog runs\n");
    CHECK(diht("filter --text-only b.tsv --column 2") == 0 && strcmp(out, "keep\tkept\t1\t1\n") == 0);
    CHECK(diht("filter --text-only --format tsv <b.tsv") == 0 && strstr(out, "drop"));
    scratch_file("a.jsonl", "{\"caption\": \"a dog runs\"}\n{\"text\": \"a dog\\u0000 runs\"}\n[1]\nno\n");
    CHECK(diht("filter --text-only a.jsonl") == 0 && lines(out) == 4 && strstr(out, "drop\tunreadable\t0\t0\n"));
    gzFile f = gzopen("a.tsv.gz", "wb");
    CHECK(f && gzputs(f, "a dog runs\tx\n") > 0 && gzclose(f) == Z_OK);
    CHECK(diht("filter --text-only a.tsv.gz") == 0 && strcmp(out, "keep\tkept\t1\t1\n") == 0);
    CHECK(diht("filter --text-only <a.tsv.gz") == 0 && strcmp(out, "keep\tkept\t1\t1\n") == 0);
}

// Many lines over several threads come back in their order; each knows its place by its complexity.
static void order_is_kept(void)
{
    FILE *f = fopen("many.txt", "wb");
    for (int i = 0; f && i < 200000; i++)
        fprintf(f, "a%s%s%s dog runs\n", i % 2 ? " red" : "", i % 3 ? " small" : "", i % 5 ? " old" : "");
    CHECK(f && fclose(f) == 0);
    CHECK(diht("filter --text-only --threads 3 many.txt | tee three.out") == 0 && diht("filter --text-only --threads 1 <many.txt | tee one.out") == 0);
    CHECK(system("cmp -s one.out three.out && test $(wc -l <one.out) = 200000") == 0);
    f = fopen("one.out", "rb");
    for (int i = 0; f && i < 200000; i++) {
        char line[64];
        int want = 1 + (i % 2 != 0) + (i % 3 != 0) + (i % 5 != 0);
        CHECK(fgets(line, sizeof line, f) && line[10] == '0' + want);
        if (line[10] != '0' + want)
            break;
    }
    if (f)
        fclose(f);
}

// A line is answered before the next one comes, and a reader that goes away ends the program.
static void pipes_are_prompt(void)
{
    CHECK(diht("filter --text-only <three.txt | head -1") == 0 && lines(out) == 1);
    CHECK(system("mkfifo ask answer") == 0);
    CHECK(system("\"$DIHT_PROGRAM\" filter --text-only <ask >answer & exec 3>ask 4<answer\n"
                 "echo 'a dog runs' >&3; line=$(timeout 60 head -1 <&4); exec 3>&-; wait\n"
                 "test \"$line\" = \"$(printf 'keep\\tkept\\t1\\t1')\"") == 0);
}

int main(void)
{
    if (!scratch_begin())
        return 1;
    CASE(concepts_are_counted_once_a_caption);
    CASE(parse_answers_every_line);
    CASE(bytes_are_captions);
    CASE(filter_says_why);
    CASE(filter_cuts_boilerplate);
    CASE(filter_reads_columns_and_keys);
    CASE(order_is_kept);
    CASE(pipes_are_prompt);
    scratch_end();
    return check_done();
}
