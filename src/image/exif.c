// SPDX-License-Identifier: Apache-2.0
// EXIF is a TIFF without a picture: directories of 12-byte entries (tag, type, count, value or its offset). The names
// and the way values are written are exifread's, the Python package whose output img2dataset keeps.
#include "image/exif.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

enum { ENTRIES = 200, VALUES = 50, TEXT = 400 };   // of a directory; of an entry; bytes of a text
enum { EXIF_POINTER = 0x8769, GPS_POINTER = 0x8825, ORIENTATION = 0x112, RESOLUTION_UNIT = 0x128 };
enum { IMAGE, EXIF, GPS, DIRECTORIES };

static const char *const directory_name[] = {"Image", "EXIF", "GPS"};

static const struct { uint16_t directory, tag; const char *name; } names[] = {
    {IMAGE, 0x100, "ImageWidth"}, {IMAGE, 0x101, "ImageLength"}, {IMAGE, 0x102, "BitsPerSample"},
    {IMAGE, 0x103, "Compression"}, {IMAGE, 0x106, "PhotometricInterpretation"}, {IMAGE, 0x10d, "DocumentName"},
    {IMAGE, 0x10e, "ImageDescription"}, {IMAGE, 0x10f, "Make"}, {IMAGE, 0x110, "Model"},
    {IMAGE, ORIENTATION, "Orientation"}, {IMAGE, 0x115, "SamplesPerPixel"}, {IMAGE, 0x11a, "XResolution"},
    {IMAGE, 0x11b, "YResolution"}, {IMAGE, RESOLUTION_UNIT, "ResolutionUnit"}, {IMAGE, 0x131, "Software"},
    {IMAGE, 0x132, "DateTime"}, {IMAGE, 0x13b, "Artist"}, {IMAGE, 0x13c, "HostComputer"}, {IMAGE, 0x13e, "WhitePoint"},
    {IMAGE, 0x13f, "PrimaryChromaticities"}, {IMAGE, 0x211, "YCbCrCoefficients"}, {IMAGE, 0x213, "YCbCrPositioning"},
    {IMAGE, 0x214, "ReferenceBlackWhite"}, {IMAGE, 0x4746, "Rating"}, {IMAGE, 0x8298, "Copyright"},
    {IMAGE, EXIF_POINTER, "ExifOffset"}, {IMAGE, GPS_POINTER, "GPSInfo"},
    {EXIF, 0x829a, "ExposureTime"}, {EXIF, 0x829d, "FNumber"}, {EXIF, 0x8822, "ExposureProgram"},
    {EXIF, 0x8827, "ISOSpeedRatings"}, {EXIF, 0x8830, "SensitivityType"}, {EXIF, 0x9000, "ExifVersion"},
    {EXIF, 0x9003, "DateTimeOriginal"}, {EXIF, 0x9004, "DateTimeDigitized"}, {EXIF, 0x9010, "OffsetTime"},
    {EXIF, 0x9011, "OffsetTimeOriginal"}, {EXIF, 0x9012, "OffsetTimeDigitized"}, {EXIF, 0x9102, "CompressedBitsPerPixel"},
    {EXIF, 0x9201, "ShutterSpeedValue"}, {EXIF, 0x9202, "ApertureValue"}, {EXIF, 0x9203, "BrightnessValue"},
    {EXIF, 0x9204, "ExposureBiasValue"}, {EXIF, 0x9205, "MaxApertureValue"}, {EXIF, 0x9206, "SubjectDistance"},
    {EXIF, 0x9207, "MeteringMode"}, {EXIF, 0x9208, "LightSource"}, {EXIF, 0x9209, "Flash"}, {EXIF, 0x920a, "FocalLength"},
    {EXIF, 0x9214, "SubjectArea"}, {EXIF, 0x9290, "SubSecTime"}, {EXIF, 0x9291, "SubSecTimeOriginal"},
    {EXIF, 0x9292, "SubSecTimeDigitized"}, {EXIF, 0xa000, "FlashPixVersion"}, {EXIF, 0xa001, "ColorSpace"},
    {EXIF, 0xa002, "ExifImageWidth"}, {EXIF, 0xa003, "ExifImageLength"}, {EXIF, 0xa20e, "FocalPlaneXResolution"},
    {EXIF, 0xa20f, "FocalPlaneYResolution"}, {EXIF, 0xa210, "FocalPlaneResolutionUnit"}, {EXIF, 0xa217, "SensingMethod"},
    {EXIF, 0xa401, "CustomRendered"}, {EXIF, 0xa402, "ExposureMode"}, {EXIF, 0xa403, "WhiteBalance"},
    {EXIF, 0xa404, "DigitalZoomRatio"}, {EXIF, 0xa405, "FocalLengthIn35mmFilm"}, {EXIF, 0xa406, "SceneCaptureType"},
    {EXIF, 0xa407, "GainControl"}, {EXIF, 0xa408, "Contrast"}, {EXIF, 0xa409, "Saturation"}, {EXIF, 0xa40a, "Sharpness"},
    {EXIF, 0xa40c, "SubjectDistanceRange"}, {EXIF, 0xa420, "ImageUniqueID"}, {EXIF, 0xa430, "CameraOwnerName"},
    {EXIF, 0xa431, "BodySerialNumber"}, {EXIF, 0xa432, "LensSpecification"}, {EXIF, 0xa433, "LensMake"},
    {EXIF, 0xa434, "LensModel"},
    {GPS, 0, "GPSVersionID"}, {GPS, 1, "GPSLatitudeRef"}, {GPS, 2, "GPSLatitude"}, {GPS, 3, "GPSLongitudeRef"},
    {GPS, 4, "GPSLongitude"}, {GPS, 5, "GPSAltitudeRef"}, {GPS, 6, "GPSAltitude"}, {GPS, 7, "GPSTimeStamp"},
    {GPS, 12, "GPSSpeedRef"}, {GPS, 13, "GPSSpeed"}, {GPS, 16, "GPSImgDirectionRef"}, {GPS, 17, "GPSImgDirection"},
    {GPS, 18, "GPSMapDatum"}, {GPS, 29, "GPSDate"},
};

static const char *const turned[] = {NULL, "Horizontal (normal)", "Mirrored horizontal", "Rotated 180",
    "Mirrored vertical", "Mirrored horizontal then rotated 90 CCW", "Rotated 90 CW",
    "Mirrored horizontal then rotated 90 CW", "Rotated 90 CCW"};
static const char *const units[] = {NULL, "Not Absolute", "Pixels/Inch", "Pixels/Centimeter"};

struct tiff {
    const unsigned char *at;
    size_t n;
    bool big;
    json_t *out;
};

struct entry {
    int tag, type;
    uint32_t count;
    const unsigned char *value;   // count of them, inside the data
};

static uint32_t number(const struct tiff *t, const unsigned char *p, int bytes)
{
    uint32_t v = 0;
    for (int i = 0; i < bytes; i++)
        v |= (uint32_t)p[i] << 8 * (t->big ? bytes - 1 - i : i);
    return v;
}

// Bytes of a value: byte, text, short, long, ratio, signed byte, anything, short, long, ratio.
static const unsigned char width[] = {0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8};

// false: damaged, or of a type without a text.
static bool entry_read(const struct tiff *t, size_t at, struct entry *e)
{
    e->tag = (int)number(t, t->at + at, 2);
    e->type = (int)number(t, t->at + at + 2, 2);
    e->count = number(t, t->at + at + 4, 4);
    if (e->type < 1 || e->type >= (int)sizeof width || e->count > t->n / width[e->type])
        return false;
    size_t n = (size_t)e->count * width[e->type], from = n <= 4 ? at + 8 : number(t, t->at + at + 8, 4);
    e->value = t->at + from;
    return from <= t->n && n <= t->n - from;
}

static uint32_t divisor(uint32_t a, uint32_t b)
{
    while (b) {
        uint32_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static void add_one(const struct tiff *t, const struct entry *e, uint32_t i, struct buf *b)
{
    const unsigned char *p = e->value + (size_t)i * width[e->type];
    bool minus = e->type >= 6;
    if (e->type != 5 && e->type != 10) {
        uint32_t v = number(t, p, width[e->type]);
        int32_t s = width[e->type] == 1 ? (int8_t)v : width[e->type] == 2 ? (int16_t)v : (int32_t)v;
        if (minus && e->type != 7)
            buf_fmt(b, "%d", s);
        else
            buf_fmt(b, "%u", v);
        return;
    }
    uint32_t up = number(t, p, 4), down = number(t, p + 4, 4);
    int64_t top = minus ? (int32_t)up : (int64_t)up, bottom = minus ? (int32_t)down : (int64_t)down;
    int64_t by = divisor((uint32_t)(top < 0 ? -top : top), (uint32_t)(bottom < 0 ? -bottom : bottom));
    if (by > 1) {
        top /= by;
        bottom /= by;
    }
    if (bottom < 0) {
        top = -top;
        bottom = -bottom;
    }
    buf_fmt(b, bottom == 1 ? "%lld" : "%lld/%lld", (long long)top, (long long)bottom);
}

// Up to the first zero, without spaces around it; what is not ASCII and not UTF-8 as '?'.
static void add_text(const struct entry *e, struct buf *b)
{
    size_t n = strnlen((const char *)e->value, e->count < TEXT ? e->count : TEXT);
    const char *at = (const char *)e->value;
    while (n && (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r'))
        at++, n--;
    while (n && (at[n - 1] == ' ' || at[n - 1] == '\n' || at[n - 1] == '\t' || at[n - 1] == '\r'))
        n--;
    buf_add(b, at, n);
    json_t *sound = b->at ? json_stringn(b->at, b->len) : NULL;
    for (size_t i = 0; !sound && i < b->len; i++)
        if ((unsigned char)b->at[i] >= 0x80)
            b->at[i] = '?';
    json_decref(sound);
}

static void add_value(struct tiff *t, const struct entry *e, struct buf *b)
{
    uint32_t one = e->count == 1 && e->type == 3 ? number(t, e->value, 2) : 0;
    const char *word = e->tag == ORIENTATION && one < sizeof turned / sizeof *turned        ? turned[one]
                       : e->tag == RESOLUTION_UNIT && one < sizeof units / sizeof *units ? units[one]
                                                                                         : NULL;
    bool version = e->type == 7 && (e->tag == 0x9000 || e->tag == 0xa000);
    if (word)
        buf_str(b, word);
    else if (e->type == 2 || version)
        add_text(e, b);
    else if (e->count == 1)
        add_one(t, e, 0, b);
    else {
        buf_char(b, '[');
        for (uint32_t i = 0; i < e->count && i < VALUES; i++) {
            buf_str(b, i ? ", " : "");
            add_one(t, e, i, b);
        }
        buf_str(b, e->count > VALUES ? ", ... ]" : "]");
    }
}

// One directory; where the others are, is put into `others`.
static int directory(struct tiff *t, size_t at, int which, size_t others[DIRECTORIES])
{
    if (at < 8 || at > t->n || t->n - at < 2)
        return 0;
    size_t count = number(t, t->at + at, 2);
    for (size_t i = 0; i < count && i < ENTRIES && t->n - at - 2 >= 12 * (i + 1); i++) {
        struct entry e;
        const char *name = NULL;
        if (!entry_read(t, at + 2 + 12 * i, &e) || e.count == 0)
            continue;
        for (size_t k = 0; !name && k < sizeof names / sizeof *names; k++)
            if (names[k].directory == which && names[k].tag == e.tag)
                name = names[k].name;
        if (which == IMAGE && e.type == 4 && (e.tag == EXIF_POINTER || e.tag == GPS_POINTER))
            others[e.tag == EXIF_POINTER ? EXIF : GPS] = number(t, e.value, 4);
        if (!name)   // makers' notes, previews and what nobody names
            continue;
        struct buf value = {0};
        char title[64];
        snprintf(title, sizeof title, "%s %s", directory_name[which], name);
        add_value(t, &e, &value);
        int failed = value.failed || json_object_set_new_nocheck(t->out, title, json_stringn(value.at ? value.at : "", value.len));
        buf_free(&value);
        if (failed)
            return FAIL(EMEMORY_, "out of memory: no room for a picture's EXIF");
    }
    return 0;
}

int exif_json(struct buf *out, const unsigned char *exif, size_t n)
{
    struct tiff t = {exif, n, n > 0 && exif[0] == 'M', json_object()};
    size_t at[DIRECTORIES] = {0};
    int rc = t.out ? 0 : FAIL(EMEMORY_, "out of memory: no room for a picture's EXIF");
    if (n >= 8)
        at[IMAGE] = number(&t, exif + 4, 4);
    for (int i = 0; !rc && i < DIRECTORIES; i++)
        rc = directory(&t, at[i], i, at);
    char *text = rc ? NULL : json_dumps(t.out, 0);
    if (text)
        buf_str(out, text);
    else if (!rc)
        rc = FAIL(EMEMORY_, "out of memory: no room for a picture's EXIF");
    json_decref(t.out);
    free(text);
    return rc ? rc : out->failed;
}
