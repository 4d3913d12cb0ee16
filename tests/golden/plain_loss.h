// SPDX-License-Identifier: Apache-2.0
// The losses written out in double over whole matrices: small batches, nothing clever, a yardstick for the tiled ones.
#ifndef TESTS_PLAIN_LOSS_H
#define TESTS_PLAIN_LOSS_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

// log sum exp of factor * z[0 .. n-1] without z[skip]
static inline double plain_lse(const double *z, int n, int skip, double factor)
{
    double most = -INFINITY, sum = 0;
    for (int j = 0; j < n; j++)
        if (j != skip)
            most = fmax(most, factor * z[j]);
    for (int j = 0; j < n; j++)
        if (j != skip)
            sum += exp(factor * z[j] - most);
    return most + log(sum);
}

// HN-NCE of one anchor with scores z [n], positive at i; adds scale * d loss / d z to dz.
static inline double plain_anchor(const double *z, int n, int i, double alpha, double beta, bool stop, double scale,
                                  double *dz)
{
    double hard = plain_lse(z, n, i, 1 + beta), soft = plain_lse(z, n, i, beta);
    double negatives = log(n - 1) + hard - soft, positive = alpha > 0 ? log(alpha) + z[i] : -INFINITY;
    double most = fmax(negatives, positive), all = most + log(exp(negatives - most) + exp(positive - most));
    double share = exp(negatives - all);
    for (int j = 0; j < n; j++) {
        if (j == i)
            dz[j] += scale * (exp(positive - all) - 1);
        else if (stop)
            dz[j] += scale * share * exp((1 + beta) * z[j] - hard);
        else
            dz[j] += scale * share * ((1 + beta) * exp((1 + beta) * z[j] - hard) - beta * exp(beta * z[j] - soft));
    }
    return all - z[i];
}

// Both directions over x, t [n, d], scores factor * x . t: sum * scale; dx, dt [n, d] =; *dfactor = d loss / d ln
// factor.
static inline double plain_hn_nce(const double *x, const double *t, int n, int d, double factor, double alpha,
                                  double beta, bool stop, double scale, double *dx, double *dt, double *dfactor)
{
    double *s = calloc((size_t)n * n, sizeof *s), *g = calloc((size_t)n * n, sizeof *g), loss = 0;
    double *column = calloc((size_t)n, sizeof *column), *dcolumn = calloc((size_t)n, sizeof *dcolumn);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            for (int k = 0; k < d; k++)
                s[i * n + j] += factor * x[i * d + k] * t[j * d + k];
    for (int i = 0; i < n; i++) {
        loss += scale * plain_anchor(s + i * n, n, i, alpha, beta, stop, scale, g + i * n);
        for (int j = 0; j < n; j++) {
            column[j] = s[j * n + i];
            dcolumn[j] = 0;
        }
        loss += scale * plain_anchor(column, n, i, alpha, beta, stop, scale, dcolumn);
        for (int j = 0; j < n; j++)
            g[j * n + i] += dcolumn[j];
    }
    *dfactor = 0;
    for (int i = 0; i < n * d; i++)
        dx[i] = dt[i] = 0;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            *dfactor += g[i * n + j] * s[i * n + j];
            for (int k = 0; k < d; k++) {
                dx[i * d + k] += factor * g[i * n + j] * t[j * d + k];
                dt[j * d + k] += factor * g[i * n + j] * x[i * d + k];
            }
        }
    free(s);
    free(g);
    free(column);
    free(dcolumn);
    return loss;
}

// Mean soft-label cross-entropy: logits [n, classes] become d loss / d logits.
static inline double plain_soft_ce(double *logits, int n, int classes, const int32_t *index, const float *prob, int k)
{
    double loss = 0;
    for (int i = 0; i < n; i++) {
        double *z = logits + (int64_t)i * classes, all = plain_lse(z, classes, -1, 1), mass = 0;
        for (int j = 0; j < k; j++) {
            loss -= prob[i * k + j] * (z[index[i * k + j]] - all) / n;
            mass += prob[i * k + j];
        }
        for (int c = 0; c < classes; c++)
            z[c] = mass * exp(z[c] - all) / n;
        for (int j = 0; j < k; j++)
            z[index[i * k + j]] -= (double)prob[i * k + j] / n;
    }
    return loss;
}

#endif
