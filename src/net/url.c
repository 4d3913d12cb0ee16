// SPDX-License-Identifier: Apache-2.0
#include "net/url.h"

#include <ctype.h>
#include <curl/curl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MOST = 8000 };   // servers take no more

// The scheme in front of ':'; 0 when there is none.
static size_t scheme_of(const char *text)
{
    size_t n = 0;
    while (isalnum((unsigned char)text[n]) || (n && strchr("+-.", text[n]) && text[n]))
        n++;
    return text[n] == ':' && isalpha((unsigned char)*text) ? n : 0;
}

// The host as name servers know it: "xn--bcher-kva.example". libcurl reads names in the thread's locale, ours are UTF-8.
static CURLUcode get_host(CURLU *u, char **host)
{
    CURLUcode code = curl_url_get(u, CURLUPART_HOST, host, 0);
    const char *p = *host;
    while (!code && *p && (unsigned char)*p < 0x80)
        p++;
    if (code || !*p)
        return code;
    curl_free(*host);
    *host = NULL;
    locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", 0), old = utf8 ? uselocale(utf8) : 0;
    code = curl_url_get(u, CURLUPART_HOST, host, CURLU_PUNYCODE);
    if (utf8) {
        uselocale(old);
        freelocale(utf8);
    }
    return code ? code : curl_url_set(u, CURLUPART_HOST, *host, 0);
}

const char *url_parse(struct url *out, const char *text)
{
    *out = (struct url){0};
    while (isspace((unsigned char)*text))
        text++;
    size_t scheme = scheme_of(text);
    bool web = (scheme == 4 && strncasecmp(text, "http", 4) == 0) || (scheme == 5 && strncasecmp(text, "https", 5) == 0);
    if (!web)
        return scheme ? "blocked-address" : "bad-url";
    if (strlen(text) > MOST)
        return "bad-url";
    CURLU *u = curl_url();
    char *name = NULL, *host = NULL, *port = NULL, *path = NULL, *query = NULL;
    const char *why = "memory";
    if (!u)
        return why;
    // spaces and the like are written as %XX, as browsers do; passwords belong in no list
    CURLUcode code = curl_url_set(u, CURLUPART_URL, text, CURLU_URLENCODE | CURLU_DISALLOW_USER);
    if (code) {
        why = code == CURLUE_OUT_OF_MEMORY ? "memory" : "bad-url";
        goto done;
    }
    curl_url_set(u, CURLUPART_FRAGMENT, NULL, 0);
    if (curl_url_get(u, CURLUPART_SCHEME, &name, 0) || get_host(u, &host) ||
        curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) || curl_url_get(u, CURLUPART_PATH, &path, 0) ||
        !*host) {
        why = "bad-url";
        goto done;
    }
    curl_url_get(u, CURLUPART_QUERY, &query, 0);
    for (char *p = host; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    char *whole = NULL;
    if (curl_url_get(u, CURLUPART_URL, &whole, 0) == CURLUE_OK)
        out->text = strdup(whole);
    curl_free(whole);
    if (asprintf(&out->host, "%s://%s:%s", name, host, port) < 0)
        out->host = NULL;
    if (asprintf(&out->path, "%s%s%s", path, query ? "?" : "", query ? query : "") < 0)
        out->path = NULL;
    if (out->text && out->host && out->path)
        why = NULL;
done:
    if (why)
        url_free(out);
    curl_free(name);
    curl_free(host);
    curl_free(port);
    curl_free(path);
    curl_free(query);
    curl_url_cleanup(u);
    return why;
}

void url_free(struct url *u)
{
    free(u->text);
    free(u->host);
    free(u->path);
    *u = (struct url){0};
}
