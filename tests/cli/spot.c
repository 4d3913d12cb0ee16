// SPDX-License-Identifier: Apache-2.0
// `diht spot`: a line a picture, boxes painted; what it says without its models and to what is no picture.
#include "check.h"
#include "run.h"

#define ABSENT "models not installed: tools/npm-spot.sh"

static char picture[1024];

// False where library and models are not installed; any other failure is for the checks that follow.
static bool installed(void) { return diht("spot --json '%s'", picture) == 0 || !said("npm-spot.sh"); }

static int lines_out(void)
{
    int n = 0;
    for (const char *p = out; *p; p++)
        n += *p == '\n';
    return n;
}

static void words_of_pictures(void)
{
    if (!installed())
        SKIP(ABSENT);
    CHECK(json_line() && strstr(out, "\"file\":") && strstr(out, "\"lines\":[{\"text\":") && strstr(out, "\"box\":[["));
    CHECK(diht("spot --json --threads 2 '%s' '%s' '%s'", picture, picture, picture) == 0 && lines_out() == 3);
    CHECK(diht("spot --json --draw boxes.png '%s'", picture) == 0 && scratch_has("boxes.png"));
}

// Black letters on nothing: without their alpha all of it would be black.
static void transparent_pictures_lie_on_white(void)
{
    if (!installed())
        SKIP(ABSENT);
    char path[1024];
    snprintf(path, sizeof path, "%s/spot/transparent.png", getenv("DIHT_GOLDEN"));
    CHECK(diht("spot --json '%s'", path) == 0 && strstr(out, "\"Summer Sale\""));
}

static void a_broken_picture_does_not_stop_the_others(void)
{
    if (!installed())
        SKIP(ABSENT);
    scratch_file("page.jpg", "<html>not a picture</html>");
    CHECK(diht("spot --json page.jpg '%s'", picture) == 1 && said("page.jpg") && said("not a picture"));
    CHECK(lines_out() == 2 && strstr(out, "\"error\":") && strstr(out, "\"text\":"));
}

static void wrong_calls(void)
{
    CHECK(diht("spot --json --spot-models nowhere '%s'", picture) == 1 && !out[0] && said("nowhere/libonnxruntime.so") &&
          said("npm-spot.sh"));
    CHECK(diht("spot --json --spot-side 5 '%s'", picture) == 2 && !out[0] && said("--spot-side 5"));
    CHECK(diht("spot --json") == 2 && !out[0]);
}

int main(void)
{
    snprintf(picture, sizeof picture, "%s/spot/words.png", getenv("DIHT_GOLDEN"));
    if (!scratch_begin()) {
        printf("Bail out! no scratch directory\n");
        return 1;
    }
    CASE(words_of_pictures);
    CASE(transparent_pictures_lie_on_white);
    CASE(a_broken_picture_does_not_stop_the_others);
    CASE(wrong_calls);
    scratch_end();
    return check_done();
}
