// SPDX-License-Identifier: Apache-2.0
// replay_train ROOT full|detached|clamp: the golden training run, one JSON object a step.
#include <stdio.h>

#include "base/error.h"
#include "replay.h"

int main(int argc, char **argv)
{
    struct replay *r = NULL;
    struct replay_step s;
    if (argc != 3) {
        fprintf(stderr, "usage: %s ROOT full|detached|clamp\n", argv[0]);
        return 2;
    }
    int rc = replay_open(&r, argv[1], argv[2], F32, 0);
    for (int i = 0; !rc && i < replay_steps(r); i++) {
        if ((rc = replay_gradients(r, &s)))
            break;
        replay_update(r, &s);
        printf("{\"step\": %d, \"loss\": %.12g, \"contrastive\": %.12g, \"object\": %.12g, \"attribute\": %.12g, "
               "\"grad_norm\": %.12g, \"logit_scale\": %.12g}\n", s.step, s.loss, s.contrastive, s.object, s.attribute,
               s.grad_norm, s.logit_scale);
    }
    if (rc)
        fprintf(stderr, "replay_train: %s\n", error_last());
    replay_close(r);
    return rc ? 1 : 0;
}
