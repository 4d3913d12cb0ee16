// SPDX-License-Identifier: Apache-2.0
// Pictures to fetch, all different: fetch-pictures DIR COUNT BASE-URL [TIMES] writes DIR/NNN/N.jpg (35-60 KB, 640x480;
// both sides TIMES as long, bytes with the area) and a list DIR/list.tsv (caption, address). Some pictures are encoded;
// each file is one of them with its number in a comment and a few bytes more or less, so that a hundred thousand take a
// minute.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <jpeglib.h>

enum { KINDS = 64, FOLDER = 1000, MOST_TIMES = 8 };

static int times = 1, width = 640, height = 480;

static unsigned state = 1;

static unsigned draw(unsigned n)
{
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state % n;
}

// Soft shapes under grain, about as costly to encode as a photograph.
static void paint(unsigned char *rgb /* height x width x 3 */, int grain)
{
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int c = 0; c < 3; c++)
                rgb[3 * (width * y + x) + c] = (unsigned char)((x * (c + 1) + 2 * y) / 8);
    for (int i = 0; i < 30; i++) {
        int left = (int)draw((unsigned)width), top = (int)draw((unsigned)height);
        int w = times * (20 + (int)draw(200)), h = times * (20 + (int)draw(200));
        unsigned char colour[3] = {(unsigned char)draw(256), (unsigned char)draw(256), (unsigned char)draw(256)};
        for (int y = top; y < top + h && y < height; y++)
            for (int x = left; x < left + w && x < width; x++)
                memcpy(rgb + 3 * (width * y + x), colour, 3);
    }
    for (int i = 0; i < width * height; i++) {
        int noise = (int)draw((unsigned)grain);
        for (int c = 0; c < 3; c++) {
            int v = rgb[3 * i + c] + noise;
            rgb[3 * i + c] = (unsigned char)(v > 255 ? 255 : v);
        }
    }
}

static unsigned char *encode(unsigned char *rgb, int quality, unsigned long *n)
{
    struct jpeg_compress_struct j;
    struct jpeg_error_mgr errors;
    unsigned char *out = NULL;
    j.err = jpeg_std_error(&errors);
    jpeg_create_compress(&j);
    jpeg_mem_dest(&j, &out, n);
    j.image_width = (JDIMENSION)width;
    j.image_height = (JDIMENSION)height;
    j.input_components = 3;
    j.in_color_space = JCS_RGB;
    jpeg_set_defaults(&j);
    jpeg_set_quality(&j, quality, TRUE);
    jpeg_start_compress(&j, TRUE);
    while (j.next_scanline < j.image_height) {
        JSAMPROW row = rgb + (size_t)3 * (size_t)width * j.next_scanline;
        jpeg_write_scanlines(&j, &row, 1);
    }
    jpeg_finish_compress(&j);
    jpeg_destroy_compress(&j);
    return out;
}

static int write_picture(const char *dir, int i, const unsigned char *jpeg, unsigned long n)
{
    char path[4096], text[64 + 256] = {0};
    snprintf(path, sizeof path, "%s/%03d", dir, i / FOLDER);
    if (mkdir(path, 0777) != 0 && errno != EEXIST)
        return -1;
    snprintf(path, sizeof path, "%s/%03d/%d.jpg", dir, i / FOLDER, i);
    FILE *f = fopen(path, "wb");
    if (!f)
        return -1;
    // behind the two bytes that begin a JPEG: a comment
    size_t len = (size_t)snprintf(text, sizeof text, "picture %d ", i) + draw(256);
    const unsigned char mark[] = {0xff, 0xd8, 0xff, 0xfe, (unsigned char)((len + 2) >> 8), (unsigned char)(len + 2)};
    fwrite(mark, 1, sizeof mark, f);
    fwrite(text, 1, len, f);
    fwrite(jpeg + 2, 1, n - 2, f);
    int bad = ferror(f);
    return fclose(f) != 0 || bad ? -1 : 0;
}

int main(int argc, char **argv)
{
    static unsigned char *kind[KINDS];
    static unsigned long bytes[KINDS];
    char path[4096];
    times = argc == 5 ? atoi(argv[4]) : 1;
    if (argc < 4 || argc > 5 || times < 1 || times > MOST_TIMES) {
        fprintf(stderr, "usage: fetch-pictures DIR COUNT BASE-URL [TIMES]\n");
        return 2;
    }
    width *= times;
    height *= times;
    unsigned char *rgb = malloc((size_t)width * (size_t)height * 3);
    unsigned long least = 35000ul * (unsigned)(times * times), most = 59500ul * (unsigned)(times * times);
    int count = atoi(argv[2]);
    mkdir(argv[1], 0777);
    snprintf(path, sizeof path, "%s/list.tsv", argv[1]);
    FILE *list = fopen(path, "w");
    if (!list || !rgb)
        goto failed;
    for (int k = 0, quality = 85; k < KINDS; quality -= 4) {
        if (quality == 85 || quality < 10) {
            paint(rgb, 20 + k % 20);
            quality = 85;
        }
        free(kind[k]);
        kind[k] = NULL;
        kind[k] = encode(rgb, quality, &bytes[k]);
        if (kind[k] && bytes[k] >= least && bytes[k] <= most) {
            k++;
            quality = 89;
        }
    }
    for (int i = 0; i < count; i++) {
        if (write_picture(argv[1], i, kind[i % KINDS], bytes[i % KINDS]) != 0)
            goto failed;
        fprintf(list, "picture number %d\t%s/%03d/%d.jpg\n", i, argv[3], i / FOLDER, i);
    }
    if (fclose(list) == 0)
        return 0;
failed:
    fprintf(stderr, "fetch-pictures: %s: %s\n", argv[1], strerror(errno));
    return 1;
}
