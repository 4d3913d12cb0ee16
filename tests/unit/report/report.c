// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "check.h"
#include "report/html.h"
#include "report/svg.h"
#include "sample.h"

// --- a parser just strict enough: every tag closed in order, every attribute quoted, every & an entity ---------------

static const char *const lone[] = {"meta", "link", "img", "br", "!DOCTYPE"};

static bool is_lone(const char *name, size_t n)
{
    for (size_t i = 0; i < sizeof lone / sizeof *lone; i++)
        if (strlen(lone[i]) == n && !memcmp(lone[i], name, n))
            return true;
    return false;
}

// NULL when the page is well-formed, else what is wrong.
static const char *malformed(const char *p, size_t size)
{
    static char why[160];
    struct { const char *at; size_t n; } open[64];
    int depth = 0;
    if (strlen(p) != size)
        return "a NUL byte";
    while (*p) {
        if (*p == '&') {
            const char *end = p + 1 + strspn(p + 1, "abcdefghijklmnopqrstuvwxyz#0123456789");
            if (*end != ';' || end == p + 1) {
                snprintf(why, sizeof why, "bare & at '%.40s'", p);
                return why;
            }
        }
        if (*p != '<') {
            if (*p == '>' || ((unsigned char)*p < 0x20 && *p != '\n')) {
                snprintf(why, sizeof why, "stray character at '%.40s'", p);
                return why;
            }
            p++;
            continue;
        }
        bool closing = p[1] == '/';
        const char *name = p + 1 + closing;
        size_t n = strcspn(name, " />\n");
        p = name + n;
        while (*p == ' ' && !closing) {   // attributes: name="value"
            p++;
            p += strcspn(p, "= />\"<");
            if (*p != '=')
                continue;
            if (p[1] != '"') {
                snprintf(why, sizeof why, "unquoted attribute at '%.40s'", p);
                return why;
            }
            p += 2;
            size_t length = strcspn(p, "\"<>");
            if (p[length] != '"') {
                snprintf(why, sizeof why, "attribute not closed at '%.40s'", p);
                return why;
            }
            p += length + 1;
        }
        bool self = *p == '/';
        p += self;
        if (*p != '>') {
            snprintf(why, sizeof why, "tag not closed at '%.40s'", name);
            return why;
        }
        p++;
        if (closing) {
            if (!depth || open[depth - 1].n != n || memcmp(open[depth - 1].at, name, n)) {
                snprintf(why, sizeof why, "</%.*s> closes <%.*s>", (int)n, name, depth ? (int)open[depth - 1].n : 0,
                         depth ? open[depth - 1].at : "");
                return why;
            }
            depth--;
        } else if (!self && !is_lone(name, n)) {
            if (depth == 64)
                return "nested too deep";
            open[depth].at = name;
            open[depth++].n = n;
            if (n == 5 && !memcmp(name, "style", 5))
                p = strstr(p, "</style>");   // raw text
            if (!p)
                return "style not closed";
        }
    }
    return depth ? "tags left open" : NULL;
}

static char *written(const struct report *r, size_t *size)   // the caller frees; NULL: could not be written
{
    char path[] = "/tmp/diht_report_XXXXXX";
    int fd = mkstemp(path);
    struct buf b = {0};
    if (fd < 0 || report_write(r, path) || file_read(path, &b)) {
        printf("# %s\n", error_last());
        buf_clear(&b);
    }
    close(fd);
    unlink(path);
    *size = b.len;
    return buf_steal(&b);
}

static void check_page(const struct report *r)
{
    size_t size = 0;
    char *page = written(r, &size);
    const char *why = page && size ? malformed(page, size) : "no page";
    if (why)
        printf("# %s\n", why);
    CHECK(!why);
    free(page);
}

static void the_parser_sees_faults(void)
{
    static const char *const bad[] = {"<p>",   "<p></b>", "</p>", "<p class=x></p>", "<p class=\"x></p>", "a & b",
                                      "a > b", "<p",      "a\x01"};
    static const char good[] = "<p class=\"a\">x &amp; <br>y</p>";
    CHECK(!malformed(good, sizeof good - 1));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(malformed(bad[i], strlen(bad[i])) != NULL);
}

// --- pieces ----------------------------------------------------------------------------------------------------------

static void check_text(const char *text, size_t most, const char *want)
{
    struct buf b = {0};
    html_text(&b, text, most);
    CHECK_STR(b.at ? b.at : "", want);
    buf_free(&b);
}

static void text_is_escaped_and_mended(void)
{
#define MENDED "\xef\xbf\xbd"
    check_text(NULL, 0, "");
    check_text("a<b>&\"c'", 0, "a&lt;b&gt;&amp;&quot;c&#39;");
    check_text("São ↦ 😀", 0, "São ↦ 😀");
    check_text("a\tb\nc\x7f", 0, "a b c ");
    check_text("\xff\xfe", 0, MENDED MENDED);
    check_text("\xc3", 0, MENDED);                           // cut short by the end
    check_text("\xc0\xaf", 0, MENDED MENDED);                // overlong '/'
    check_text("\xe0\x80\xbc", 0, MENDED MENDED MENDED);     // overlong '<'
    check_text("\xed\xa0\x80", 0, MENDED MENDED MENDED);     // surrogate
    check_text("\xf4\x90\x80\x80", 0, MENDED MENDED MENDED MENDED);   // past U+10FFFF
    check_text("\xc2\x80\xef\xbf\xbf", 0, MENDED MENDED);    // control, noncharacter
    check_text("\xe2\x82<b>", 0, MENDED MENDED "&lt;b&gt;"); // a broken sequence hides no markup
    check_text("ééééé", 3, "ééé…");
    check_text("ééé", 3, "ééé");
#undef MENDED
}

static void numbers_read_well(void)
{
    static const struct { double v; int digits; const char *want; } cases[] = {
        {0, 1, "0.0"},
        {-0.0, 1, "0.0"},
        {-0.04, 1, "0.0"},
        {-1234.5, 1, "−1,234.5"},
        {999, 0, "999"},
        {1000, 0, "1,000"},
        {1234567.25, 2, "1,234,567.25"},
        {NAN, 1, "–"},
        {INFINITY, 1, "–"},
        {1e300, 1, "1.0e+300"},
    };
    struct buf b = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        buf_clear(&b);
        html_number(&b, cases[i].v, cases[i].digits);
        CHECK_STR(b.at, cases[i].want);
    }
    buf_clear(&b);
    html_count(&b, INT64_MAX);
    buf_char(&b, ' ');
    html_count(&b, -1);
    buf_char(&b, ' ');
    html_count(&b, 100);
    CHECK_STR(b.at, "9,223,372,036,854,775,807 – 100");
    buf_free(&b);
}

static void base64_is_rfc_4648(void)
{
    static const char *const want[] = {"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
    struct buf b = {0};
    for (size_t n = 0; n < 7; n++) {
        buf_clear(&b);
        html_base64(&b, "foobar", n);
        CHECK_STR(b.at ? b.at : "", want[n]);
    }
    buf_clear(&b);
    html_base64(&b, "\xff\xff\xfe\x00", 4);
    CHECK_STR(b.at, "///+AA==");
    buf_free(&b);
}

static void pictures_are_known_by_their_bytes(void)
{
    CHECK_STR(html_picture_type("\x89PNG\r\n\x1a\n", 8), "image/png");
    CHECK_STR(html_picture_type("\xff\xd8\xff\xe0", 4), "image/jpeg");
    CHECK_STR(html_picture_type("RIFF....WEBP", 12), "image/webp");
    CHECK(!html_picture_type("\x89PNG\r\n\x1a\n", 7) && !html_picture_type("RIFF....WEBP", 11));
    CHECK(!html_picture_type(NULL, 100) && !html_picture_type("", 0) && !html_picture_type("<svg onload=\"x\">", 16));
    struct buf b = {0};
    html_picture(&b, "<svg/>", 6, "a", "no \"picture\"");
    CHECK_STR(b.at, "<span class=\"nopic\">no &quot;picture&quot;</span>");
    buf_free(&b);
}

// --- ticks -----------------------------------------------------------------------------------------------------------

static void check_ticks(const double *t, int n, double from, double to)
{
    CHECK(n >= 2 && n <= TICKS_MAX);
    for (int i = 0; i < n; i++) {
        CHECK(isfinite(t[i]) && t[i] >= from - 1e-9 * fabs(from) && t[i] <= to + 1e-9 * fabs(to));
        CHECK(!i || t[i] > t[i - 1]);
    }
}

static void linear_ticks_are_round(void)
{
    double t[TICKS_MAX];
    int n = ticks_linear(0, 100, 5, t);
    CHECK(n == 6 && t[0] == 0 && t[1] == 20 && t[5] == 100);
    n = ticks_linear(-0.03, 0.07, 5, t);
    CHECK(n == 5 && fabs(t[0] + 0.02) < 1e-12 && t[1] == 0 && !signbit(t[1]));
    for (double from = -1e5; from < 1e5; from += 7777.77)
        for (double span = 1e-6; span < 1e9; span *= 13.7) {
            n = ticks_linear(from, from + span, 6, t);
            check_ticks(t, n, from, from + span);
        }
    CHECK(ticks_linear(5, 5, 5, t) >= 2 && ticks_linear(0, 0, 5, t) >= 2);   // one value
    CHECK(ticks_linear(NAN, 3, 5, t) >= 2 && ticks_linear(-INFINITY, INFINITY, 5, t) >= 2);
    CHECK(ticks_linear(-1.7e308, 1.7e308, 5, t) >= 2 && ticks_linear(1, 0, 5, t) >= 2);
    CHECK(ticks_linear(5e-324, 1e-323, 5, t) >= 0 && ticks_linear(0, 1, 1000000, t) <= TICKS_MAX);
}

static void log_ticks_are_powers(void)
{
    double t[TICKS_MAX];
    int n = ticks_log(10, 1064, 6, t);
    CHECK(n >= 3 && t[0] == 10);
    check_ticks(t, n, 10, 1064);
    n = ticks_log(1, 1e6, 4, t);
    CHECK(n == 4 && t[0] == 1 && fabs(t[1] - 100) < 1e-9 && fabs(t[3] - 1e6) < 1e-3);
    n = ticks_log(300, 400, 5, t);   // no power inside: linear ones
    check_ticks(t, n, 300, 400);
    for (double from = 1e-7; from < 1e7; from *= 3.3)
        for (double times = 1.01; times < 1e12; times *= 2.9) {
            n = ticks_log(from, from * times, 6, t);
            check_ticks(t, n, from, from * times);
        }
    CHECK(ticks_log(0, 10, 5, t) >= 2 && ticks_log(-5, NAN, 5, t) >= 2 && ticks_log(7, 7, 5, t) >= 2);
}

static void tick_texts(void)
{
    static const struct { double v, step; const char *want; } cases[] = {
        {0, 20, "0"},        {250, 50, "250"},     {1500, 500, "1500"}, {2000, 500, "2000"},  {1000, 0, "1k"},
        {1064, 0, "1064"},   {20000, 5000, "20k"}, {2e6, 0, "2M"},      {0.05, 0.01, "0.05"}, {0.1, 0.05, "0.10"},
        {-0.5, 0.5, "-0.5"}, {2e-6, 1e-6, "2e-6"}, {NAN, 0, "–"},       {1e300, 0, "1e300"},  {41.25, 0, "41.25"},
    };
    char text[32];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tick_text(text, cases[i].v, cases[i].step);
        CHECK_STR(text, cases[i].want);
    }
}

// --- plots -----------------------------------------------------------------------------------------------------------

static void check_plot(const struct plot *p, const char *must)
{
    struct buf b = {0};
    plot_svg(&b, p);
    const char *why = malformed(b.at, b.len);
    if (why)
        printf("# %s\n", why);
    CHECK(!why);
    CHECK(!strstr(b.at, "nan") && !strstr(b.at, "inf"));
    if (!strstr(b.at, must))
        printf("# no '%s' in %.400s\n", must, b.at);
    CHECK(strstr(b.at, must) != NULL);
    buf_free(&b);
}

static void plots_stand_any_numbers(void)
{
    static const double x[] = {1, 2, 3, 4, 5}, y[] = {1, 4, 9, 16, 25},
                        wild[] = {NAN, INFINITY, -INFINITY, 1e308, -1e308}, none[] = {NAN, NAN, NAN, NAN, NAN};
    static const double zero[] = {0, 0, 0, 0, 0}, gap[] = {1, 2, NAN, 4, 5};
    static const char *const names[] = {"a", "b<c>", NULL, "d", "e"};
    const enum plot_kind kinds[] = {PLOT_LINE, PLOT_STEP, PLOT_BAR};
    const double *ys[] = {y, wild, zero, gap};
    for (int k = 0; k < 3; k++)
        for (int log = 0; log < 4; log++) {
            struct plot_series s = {"<s>", kinds[k], x, y, NULL, NULL, 5, 0, true};
            struct plot p = {.id = "p",
                             .title = "a<b",
                             .description = "d&d",
                             .x = {"x", log & 1},
                             .y = {"y", log >> 1},
                             .series = &s,
                             .nseries = 1};
            check_plot(&p, k == 2 ? "class=\"bar c0\"" : "class=\"line c0\"");
            for (int i = 0; i < 4; i++) {
                s.y = ys[i];
                s.low = ys[(i + 1) % 4];
                s.high = ys[(i + 2) % 4];
                check_plot(&p, "<svg");
            }
            s.low = s.high = NULL;
            s.y = none;
            check_plot(&p, "no data");
            s.y = y;
            s.count = 0;
            check_plot(&p, "no data");
            s.count = 1;
            check_plot(&p, k == 2 ? "class=\"bar c0\"" : "<circle");   // a line of one point shows as a dot
            s.count = 5;
            p.categories = names;
            p.ncategories = 5;
            s.x = NULL;
            check_plot(&p, "<svg");
        }
    check_plot(&(struct plot){0}, "no data");
}

static int count(const char *text, const char *what)
{
    int n = 0;
    for (const char *p = text; (p = strstr(p, what)); p += strlen(what))
        n++;
    return n;
}

static void points_land_where_they_belong(void)
{
    static const double x[] = {1, 10, 100}, y[] = {0, 50, 100}, gap[] = {0, NAN, 100};
    struct plot_series s = {NULL, PLOT_LINE, x, y, NULL, NULL, 3, 0};
    struct plot p = {.id = "p",
                     .width = 258,
                     .height = 154,
                     .x = {.log = true},
                     .y = {.fixed = true, .from = 0, .to = 100},
                     .series = &s,
                     .nseries = 1};
    struct buf b = {0};
    plot_svg(&b, &p);   // frame: 46..246 x 30..130
    CHECK(strstr(b.at, "d=\"M46.0 130.0L146.0 80.0L246.0 30.0\"") != NULL);
    buf_clear(&b);
    s.kind = PLOT_STEP;
    plot_svg(&b, &p);
    CHECK(strstr(b.at, "d=\"M46.0 130.0L146.0 130.0L146.0 80.0L246.0 80.0L246.0 30.0\"") != NULL);
    buf_clear(&b);
    s.kind = PLOT_LINE;
    s.y = gap;
    plot_svg(&b, &p);
    CHECK(strstr(b.at, "d=\"M46.0 130.0M246.0 30.0\"") != NULL);   // interrupted
    buf_clear(&b);
    s = (struct plot_series){NULL, PLOT_LINE, x, y, y, y, 3, 0};
    plot_svg(&b, &p);
    CHECK(count(b.at, "class=\"band") == 1);
    buf_free(&b);
}

// --- the page --------------------------------------------------------------------------------------------------------

static void a_full_page_is_well_formed(void)
{
    struct report *r = sample_page();
    CHECK(r != NULL);
    if (!r)
        return;
    check_page(r);
    size_t size = 0;
    char *page = written(r, &size), *again = written(r, &size);
    CHECK(page && again && !strcmp(page, again));   // equal in, equal out
    CHECK(size < 2u << 20);
    CHECK(page && strstr(page, "37.4") && strstr(page, "1,064") && strstr(page, "val_style without flags"));
    CHECK(page && strstr(page, "flag: S&amp;atilde;o &lt;Tomé&gt;") && !strstr(page, "<Tomé>"));
    CHECK(page && !strstr(page, "<script") && !strstr(page, "http://") &&
          !strstr(page, "https://"));   // nothing fetched
    CHECK(page && count(page, "class=\"plot\"") == 4 * 2 + 6 && count(page, "<article") == 4 * 4 * 6);
    free(page);
    free(again);
    sample_free(r);
}

static void empty_pages_are_well_formed(void)
{
    struct report_split none[2] = {
        {0}, {.name = "x", .ni2t_ranks = 5, .ngrowth = 3, .nranges = 2, .i2t_gallery = {NULL, NULL, 3, 3}}};
    struct report_step step = {NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN};
    struct report_training t = {&step, 1, 3};
    check_page(&(struct report){0});
    check_page(&(struct report){.splits = none, .nsplits = 2});
    check_page(&(struct report){.splits = none, .nsplits = 1, .training = &t, .nfacts = 4});
}

static void hostile_strings_stay_inside(void)
{
    static const char evil[] = "\"><script>alert(1)</script><!-- ' & \xff\xc3 \x01 ]]> \xe2\x80\xae";
    static char huge[4 << 20];
    memset(huge, '<', sizeof huge - 1);
    const char *strings[] = {evil, huge, "", NULL};
    for (int i = 0; i < 4; i++) {
        const char *s = strings[i];
        struct report_answer answers[] = {{s, {s, s ? strlen(s) : 0}, NAN, true}, {s, {NULL, 50}, INFINITY, false}};
        struct report_query q[] = {{s, s, {s, s ? strlen(s) : 0}, NAN, NAN, answers, 2},
                                   {s, s, {NULL, 0}, -INFINITY, 0, NULL, 9}};
        double ranks[] = {NAN, INFINITY, -3, 0, 1e300, 1.5};
        struct report_growth growth[] = {{NAN, NAN}, {-5, 500, -1, 1e308}, {10, 50, NAN, NAN, 40, 30, 50}};
        struct report_range range = {
            -1, INT64_MAX, {NAN, NAN, .n = 4}, {.r1 = 1e308, .n = 1, .r1_low = -1e308, .r1_high = 1e308}};
        struct report_split split = {
            .name = s,
            .note = s,
            .i2t = range.i2t,
            .t2i = range.t2i,
            .ranges = &range,
            .nranges = 1,
            .growth = growth,
            .ngrowth = 3,
            .i2t_ranks = ranks,
            .t2i_ranks = ranks,
            .ni2t_ranks = 6,
            .nt2i_ranks = 1,
            .i2t_gallery = {q, q, 2, 2},
            .t2i_gallery = {q, q, 2, 2},
        };
        struct report_fact fact = {s, s};
        struct report_rival rivals[] = {{s, s, range.i2t, range.t2i, {NAN, NAN}, {NAN, NAN}, {NAN, NAN}},
                                        {s, s, range.t2i, range.i2t, {1e308, -1}, {-INFINITY, -2}, {1, NAN}}};
        struct report r = {s, s, s, s, s, s, s, s, &fact, 1, &split, 1, rivals, 2};
        size_t size = 0;
        check_page(&r);
        char *page = written(&r, &size);
        CHECK(page && size < 1u << 20 && !strstr(page, "<script") && !strstr(page, "<!--"));
        free(page);
    }
}

static void pictures_share_the_page(void)
{
    enum { EACH = 100 * 1024, N = 12 };
    char *bytes = calloc(1, 200 * 1024);
    struct report_query q[N];
    CHECK(bytes != NULL);
    if (!bytes)
        return;
    memcpy(bytes, "\xff\xd8\xff", 3);
    for (int i = 0; i < N; i++)
        q[i] = (struct report_query){.caption = "c", .picture = {bytes, EACH}, .rank = 2};
    struct report_split s[2] = {{.name = "a", .i2t_gallery = {q, q, N, N}}, {.name = "b", .i2t_gallery = {q, q, N, N}}};
    struct report r = {.splits = s, .nsplits = 2};
    size_t size = 0;
    check_page(&r);
    char *page = written(&r, &size);
    CHECK(size < 2u << 20 && page && count(page, "<img") == 4 * 3 &&
          count(page, "(3 of 12)") == 4);   // lists cut alike
    free(page);
    for (int i = 0; i < N; i++)
        q[i].picture.size = 200 * 1024;   // past REPORT_PICTURE_MAX
    page = written(&r, &size);
    CHECK(page && count(page, "<img") == 0 && count(page, "too large") == 4 * N);
    free(page);
    free(bytes);
}

static void a_page_that_cannot_be_written_says_so(void)
{
    CHECK(report_write(&(struct report){0}, "/nonexistent/dir/page.html") == EMISSING_);
    CHECK(strstr(error_last(), "/nonexistent/dir/page.html") != NULL);
}

static void metrics_are_read_with_care(void)
{
    static const char text[] =
        "{\"step\": 1, \"loss\": 9.5, \"temperature\": 0.07, \"future\": [1]}\n"
        "{\"step\": 2, \"loss\": null}\n\nnot json\n[1]\n{\"loss\": 3}\n"
        "{\"step\": 3, \"loss\": 7}\n{\"step\": 4, \"loss\": 6}\n{\"step\": 3, \"loss\": 8}\n{\"step\": 5, \"lo";
    char path[] = "/tmp/diht_metrics_XXXXXX";
    int fd = mkstemp(path);
    CHECK(fd >= 0 && file_write(path, text, sizeof text - 1) == 0);
    struct report_training t;
    CHECK(report_training_read(&t, path) == 0);
    CHECK(t.count == 3 && t.skipped == 4);   // the resumed step 3 replaced 3 and 4
    if (t.count == 3) {
        CHECK(t.steps[0].loss == 9.5 && t.steps[0].temperature == 0.07 && isnan(t.steps[0].lr));
        CHECK(isnan(t.steps[1].loss) && t.steps[2].step == 3 && t.steps[2].loss == 8);
    }
    report_training_free(&t);
    report_training_free(NULL);
    CHECK(file_write(path, "", 0) == 0 && report_training_read(&t, path) == 0 && t.count == 0);
    report_training_free(&t);
    close(fd);
    unlink(path);
    CHECK(report_training_read(&t, path) == EMISSING_ && t.count == 0);
}

int main(void)
{
    CASE(the_parser_sees_faults);
    CASE(text_is_escaped_and_mended);
    CASE(numbers_read_well);
    CASE(base64_is_rfc_4648);
    CASE(pictures_are_known_by_their_bytes);
    CASE(linear_ticks_are_round);
    CASE(log_ticks_are_powers);
    CASE(tick_texts);
    CASE(plots_stand_any_numbers);
    CASE(points_land_where_they_belong);
    CASE(a_full_page_is_well_formed);
    CASE(empty_pages_are_well_formed);
    CASE(hostile_strings_stay_inside);
    CASE(pictures_share_the_page);
    CASE(a_page_that_cannot_be_written_says_so);
    CASE(metrics_are_read_with_care);
    return check_done();
}
