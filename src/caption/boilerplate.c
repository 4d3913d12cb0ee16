// SPDX-License-Identifier: Apache-2.0
#include "caption/boilerplate.h"

#include <string.h>
#include <strings.h>

#include "caption/spell.h"

enum kind {
    OPENS,    // what begins so speaks to the reader to its end
    ALONE,    // a caption of such phrases and numbers only
    BEFORE,   // the caption stands behind
    BEHIND,   // the caption stands before
};

// Words of a phrase may have any signs between them; # is a number.
static const struct { enum kind kind; const char *phrase; } phrases[] = {
    {OPENS, "add to basket"}, {OPENS, "add to cart"}, {OPENS, "add to favorites"}, {OPENS, "add to wishlist"},
    {OPENS, "all rights reserved"}, {OPENS, "buy it now"}, {OPENS, "buy now"}, {OPENS, "click any"},
    {OPENS, "click below"}, {OPENS, "click for"}, {OPENS, "click here"}, {OPENS, "click on"}, {OPENS, "click the"},
    {OPENS, "click this"}, {OPENS, "click to"}, {OPENS, "contact us"}, {OPENS, "copyright #"},
    {OPENS, "copyright by"}, {OPENS, "copyright c #"}, {OPENS, "customers who bought"}, {OPENS, "download from"},
    {OPENS, "download on the"}, {OPENS, "download our"}, {OPENS, "email this"}, {OPENS, "enter your"},
    {OPENS, "find us"}, {OPENS, "follow me"}, {OPENS, "follow on"}, {OPENS, "follow us"}, {OPENS, "fork me"},
    {OPENS, "free shipping"}, {OPENS, "get it on"}, {OPENS, "image coming soon"}, {OPENS, "image not available"},
    {OPENS, "image not found"}, {OPENS, "join our"}, {OPENS, "join the chat"}, {OPENS, "join us"},
    {OPENS, "learn more"}, {OPENS, "leave a comment"}, {OPENS, "leave a reply"}, {OPENS, "like us on"},
    {OPENS, "load more"}, {OPENS, "log in to"}, {OPENS, "no image available"}, {OPENS, "order now"},
    {OPENS, "page not found"}, {OPENS, "photo coming soon"}, {OPENS, "pin it"}, {OPENS, "please enable"},
    {OPENS, "please enter"}, {OPENS, "please reload"}, {OPENS, "please select"}, {OPENS, "please upload"},
    {OPENS, "post a comment"}, {OPENS, "posted by"}, {OPENS, "posted on"}, {OPENS, "powered by"},
    {OPENS, "privacy policy"}, {OPENS, "proudly powered by"}, {OPENS, "read more"}, {OPENS, "related articles"},
    {OPENS, "related posts"}, {OPENS, "related products"}, {OPENS, "see more"}, {OPENS, "share on"},
    {OPENS, "share this"}, {OPENS, "share via"}, {OPENS, "shop now"}, {OPENS, "show more"}, {OPENS, "sign in to"},
    {OPENS, "sign up for"}, {OPENS, "sign up now"}, {OPENS, "sign up to"}, {OPENS, "site by"},
    {OPENS, "site designed by"}, {OPENS, "skip to"}, {OPENS, "subscribe to"}, {OPENS, "support us"},
    {OPENS, "tap to"}, {OPENS, "terms and conditions"}, {OPENS, "terms of"}, {OPENS, "this site uses"},
    {OPENS, "this website uses"}, {OPENS, "tweet this"}, {OPENS, "visit our"}, {OPENS, "visit us"},
    {OPENS, "we use cookies"}, {OPENS, "web design by"}, {OPENS, "website by"}, {OPENS, "website designed by"},
    {OPENS, "you may also like"}, {OPENS, "your browser"},

    {ALONE, "about"}, {ALONE, "accept"}, {ALONE, "advertisement"}, {ALONE, "avatar"}, {ALONE, "back"},
    {ALONE, "cancel"}, {ALONE, "cart"}, {ALONE, "checkout"}, {ALONE, "close"}, {ALONE, "comments"},
    {ALONE, "contact"}, {ALONE, "cookies"}, {ALONE, "copyright"}, {ALONE, "default"}, {ALONE, "download"},
    {ALONE, "email"}, {ALONE, "enlarge"}, {ALONE, "facebook"}, {ALONE, "featured"}, {ALONE, "full"}, {ALONE, "home"},
    {ALONE, "homepage"}, {ALONE, "image"}, {ALONE, "instagram"}, {ALONE, "item"}, {ALONE, "larger"},
    {ALONE, "loading"}, {ALONE, "log in"}, {ALONE, "login"}, {ALONE, "menu"}, {ALONE, "more"}, {ALONE, "next"},
    {ALONE, "no photo description available"}, {ALONE, "of"}, {ALONE, "open media in modal"}, {ALONE, "page"},
    {ALONE, "photo"}, {ALONE, "picture"}, {ALONE, "pinterest"}, {ALONE, "placeholder"}, {ALONE, "play"},
    {ALONE, "please wait"}, {ALONE, "prev"}, {ALONE, "preview"}, {ALONE, "previous"}, {ALONE, "print"},
    {ALONE, "products"}, {ALONE, "profile"}, {ALONE, "register"}, {ALONE, "related"}, {ALONE, "search"},
    {ALONE, "share"}, {ALONE, "sign in"}, {ALONE, "sign up"}, {ALONE, "size"}, {ALONE, "slide"}, {ALONE, "sponsored"},
    {ALONE, "submit"}, {ALONE, "subscribe"}, {ALONE, "support"}, {ALONE, "the"}, {ALONE, "this"},
    {ALONE, "thumbnail"}, {ALONE, "to"}, {ALONE, "top"}, {ALONE, "twitter"}, {ALONE, "untitled"}, {ALONE, "us"},
    {ALONE, "version"}, {ALONE, "video"}, {ALONE, "view"}, {ALONE, "youtube"}, {ALONE, "zoom"},

    {BEFORE, "click for a larger image of"}, {BEFORE, "click for a larger view of"},
    {BEFORE, "click for larger image"}, {BEFORE, "click for larger image of"}, {BEFORE, "click for larger view of"},
    {BEFORE, "click image to enlarge"}, {BEFORE, "click on image to enlarge"}, {BEFORE, "click to enlarge"},
    {BEFORE, "click to enlarge image of"}, {BEFORE, "click to see a larger version of"}, {BEFORE, "click to view"},
    {BEFORE, "click to zoom"}, {BEFORE, "cover image for"}, {BEFORE, "cover photo for"}, {BEFORE, "enlarge image"},
    {BEFORE, "enlarge image of"}, {BEFORE, "featured image"}, {BEFORE, "featured image for"},
    {BEFORE, "featured image of"}, {BEFORE, "image may contain"}, {BEFORE, "image result for"},
    {BEFORE, "load image into gallery viewer"}, {BEFORE, "may be an image of"}, {BEFORE, "play video"},
    {BEFORE, "tap to enlarge"}, {BEFORE, "thumbnail for"}, {BEFORE, "view full size"},
    {BEFORE, "view full size image of"}, {BEFORE, "view larger"}, {BEFORE, "view larger image"},
    {BEFORE, "view larger image of"}, {BEFORE, "watch video"},

    {BEHIND, "add to cart"}, {BEHIND, "all rights reserved"}, {BEHIND, "buy now"}, {BEHIND, "click for larger image"},
    {BEHIND, "click here"}, {BEHIND, "click image to enlarge"}, {BEHIND, "click to enlarge"},
    {BEHIND, "click to view larger image"}, {BEHIND, "click to zoom"}, {BEHIND, "continue reading"},
    {BEHIND, "free download"}, {BEHIND, "free shipping"}, {BEHIND, "learn more"}, {BEHIND, "link in bio"},
    {BEHIND, "order now"}, {BEHIND, "pin it"}, {BEHIND, "read more"}, {BEHIND, "royalty free image"},
    {BEHIND, "royalty free photo"}, {BEHIND, "royalty free stock image"}, {BEHIND, "royalty free stock photo"},
    {BEHIND, "royalty free vector"}, {BEHIND, "see more"}, {BEHIND, "share this"}, {BEHIND, "shop now"},
};
enum { PHRASES = sizeof phrases / sizeof *phrases };

static const char *past_signs(const char *at, const char *end)
{
    while (at < end && !is_word((unsigned char)*at))
        at++;
    return at;
}

static const char *past_word(const char *at, const char *end)
{
    while (at < end && is_word((unsigned char)*at))
        at++;
    return at;
}

// Behind the phrase and the signs that follow it, where it stands at `at`; else NULL.
static const char *match(const char *at, const char *end, const char *phrase)
{
    while (*phrase) {
        size_t n = strcspn(phrase, " ");
        const char *past = past_word(at, end);
        bool number = *phrase == '#' && at < end && is_digit((unsigned char)*at);
        if (!number && (past != at + n || strncasecmp(at, phrase, n) != 0))
            return NULL;
        at = past_signs(past, end);
        phrase += n + (phrase[n] == ' ');
    }
    return at;
}

// Behind the longest phrase of a kind.
static const char *match_kind(const char *at, const char *end, enum kind kind)
{
    const char *best = NULL;
    for (int i = 0; i < PHRASES; i++) {
        const char *past = phrases[i].kind == kind ? match(at, end, phrases[i].phrase) : NULL;
        if (past && (!best || past > best))
            best = past;
    }
    return best;
}

// "Home / Products / Garden Tools"
static bool is_trail(const char *at, const char *end)
{
    if (!match(at, end, "home"))
        return false;
    for (at += strlen("home"); at < end && *at == ' ';)
        at++;
    return at < end && (strchr("/>|", *at) || (end - at > 2 && (memcmp(at, "»", 2) == 0 || memcmp(at, "›", 3) == 0)));
}

static bool is_alone(const char *at, const char *end)
{
    const char *past = match_kind(at, end, ALONE);
    while (past && past < end) {
        at = past;
        past = is_digit((unsigned char)*at) ? past_signs(past_word(at, end), end) : match_kind(at, end, ALONE);
    }
    return past != NULL;
}

struct text boilerplate_cut(struct text caption)
{
    const char *end = caption.at + caption.len, *at = past_signs(caption.at, end), *past;
    if (at == end)
        return caption;
    while ((past = match_kind(at, end, BEFORE)))
        at = past;
    if (is_trail(at, end) || match_kind(at, end, OPENS) || is_alone(at, end))
        return (struct text){end, 0};
    for (const char *word = at; word < end; word = past_signs(past_word(word, end), end))
        if (match_kind(word, end, BEHIND) == end)
            end = word;
    // signs at both ends are no boilerplate where nothing was cut
    return at == past_signs(caption.at, end) && end == caption.at + caption.len ? caption : (struct text){at, (size_t)(end - at)};
}
