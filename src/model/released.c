// SPDX-License-Identifier: Apache-2.0
#include "model/released.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

const char *const released_names[] = {"diht_vitb32_224px", "diht_vitb16_224px", "diht_vitl14_224px",
                                      "diht_vitl14_336px", NULL};
static const char *const files[] = {
    "diht_vitb32_224px_0cee3cbdf80edc3a9b3add0a913eb0f293839d807423ae1eb6dfe57be3550586.ckpt",
    "diht_vitb16_224px_d2f68609e5d0469c824cd16353375cf7c47b468666fdfcd8baecf06705e4a6f0.ckpt",
    "diht_vitl14_224px_eaf1e498d0a40aef206329a2d5753f3d479f550d72631e26f89f67878d06afa8.ckpt",
    "diht_vitl14_336px_4864afccc0f28d5bbc24444672789cfe23320ada5980b730c915defcebe52e4c.ckpt",
};

const char *released_file(const char *name)
{
    for (int i = 0; released_names[i]; i++)
        if (strcmp(released_names[i], name) == 0)
            return files[i];
    return NULL;
}

bool released_hash(char out[65], const char *file)
{
    const char *dot = strrchr(file, '.'), *from = dot && dot - file > 64 ? dot - 64 : NULL;
    if (!from || from[-1] != '_')
        return false;
    for (int i = 0; i < 64; i++) {
        if (!isxdigit((unsigned char)from[i]))
            return false;
        out[i] = (char)tolower((unsigned char)from[i]);
    }
    out[64] = 0;
    return true;
}
