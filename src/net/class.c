// SPDX-License-Identifier: Apache-2.0
#include "net/class.h"

#include <curl/curl.h>
#include <stdio.h>

static const struct { CURLcode code; const char *class; bool again; } codes[] = {
    {CURLE_COULDNT_RESOLVE_HOST, "dns", true},
    {CURLE_COULDNT_CONNECT, "refused", true},
    {CURLE_OPERATION_TIMEDOUT, "timeout", true},
    {CURLE_PARTIAL_FILE, "truncated", true},
    {CURLE_GOT_NOTHING, "reset", true},
    {CURLE_RECV_ERROR, "reset", true},
    {CURLE_SEND_ERROR, "reset", true},
    {CURLE_HTTP2, "reset", true},
    {CURLE_HTTP2_STREAM, "reset", true},
    {CURLE_BAD_CONTENT_ENCODING, "protocol", false},
    {CURLE_SSL_CONNECT_ERROR, "tls", false},
    {CURLE_PEER_FAILED_VERIFICATION, "tls", false},
    {CURLE_SSL_CERTPROBLEM, "tls", false},
    {CURLE_SSL_CIPHER, "tls", false},
    {CURLE_SSL_ISSUER_ERROR, "tls", false},
    {CURLE_SSL_INVALIDCERTSTATUS, "tls", false},
    {CURLE_UNSUPPORTED_PROTOCOL, "protocol", false},
    {CURLE_URL_MALFORMAT, "bad-url", false},
    {CURLE_WEIRD_SERVER_REPLY, "protocol", false},
};

const char *class_of_code(int code, bool resolved, bool answered, bool *again)
{
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        if ((int)codes[i].code != code)
            continue;
        *again = codes[i].again;
        if (code == CURLE_OPERATION_TIMEDOUT && !resolved)
            return "dns";
        // broken off in the middle of an answer
        if ((code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR || code == CURLE_HTTP2_STREAM) && answered)
            return "truncated";
        return codes[i].class;
    }
    *again = false;
    return "protocol";
}

void class_of_status(char out[CLASS_ROOM], int status, bool *again)
{
    snprintf(out, CLASS_ROOM, "http-%d", status);
    *again = status == 408 || status == 425 || status == 429 || status == 500 || (status >= 502 && status <= 504);
}
