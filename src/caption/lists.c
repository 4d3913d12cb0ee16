// SPDX-License-Identifier: Apache-2.0
#include "caption/lists.h"

#include <string.h>

#include "caption/mends.h"
#include "caption/table.h"

static const struct { unsigned mark; const char *words; } lists[] = {
    {M_TIME, "january february march april may june july august september october november december jan feb mar apr jun "
             "jul aug sep sept oct nov dec monday tuesday wednesday thursday friday saturday sunday mon tue wed thu fri"},
    {M_COLOUR, "red blue green yellow black white brown grey gray orange purple pink beige violet turquoise cyan magenta "
               "navy burgundy maroon teal ivory cream golden gold silver bronze khaki lavender indigo crimson scarlet tan "
               "charcoal lilac aqua"},
    {M_QUANTITY, "many much several few more most less least some any no all each every both either neither half other "
                 "another such same own various numerous multiple"},
    {M_GROUP, "group couple pair bunch lot lots number piece slice kind type variety set series groups couples pairs bunches "
              "numbers pieces slices kinds types sets"},
    {M_MEDIA, "photo photograph image picture portrait illustration view closeup close-up video drawing painting silhouette "
              "shot snapshot vector sketch scene footage cartoon render rendering photos images pictures portraits stock pic "
              "panorama selfie screenshot icon logo animation poster posters postcard"},
    {M_LINK, "seem seems seemed become becomes became becoming remain remains remained look looks looked feel feels felt "
             "appear appears appeared stay stays stayed looking feeling"},
    {M_BE, "be is are was were am been being 's 're 'm"},
    {M_HAVE, "have has had 've"},
    {M_AUX, "will would can could may might must shall should do does did ca wo 'll"},
    {M_BEFORE_NOUN, "next top front left right bottom upper lower vintage retro handmade antique wooden ceramic rear outdoor "
                    "indoor floral male female adult modern classic double single original official professional "
                    "royal asian african american european british french german italian chinese japanese indian mexican "
                    "spanish russian young old baby-faced plus solid standard portable seamless abstract realistic digital cute favorite favourite"},
    {M_PURPOSE, "dining living cutting fishing sewing washing swimming shopping hiking parking camping sleeping skiing "
                "boxing bowling baking cooking racing training meeting waiting dressing ironing chopping wedding sailing "
                "hunting cleaning drinking gaming writing reading wrapping packing mixing serving measuring watering "
                "landing steering sailing charging knitting driving climbing cycling dancing surfing drawing"},
    {M_MOVER, "boat ship train car truck bus plane airplane aircraft helicopter jet van taxi motorcycle bike bicycle tractor "
              "vehicle balloon rocket ferry yacht sailboat kite wave waves ball wind rain snow fire storm water smoke sun river waterfall flag leaf boats "
              "ships trains cars trucks buses planes"},
    {M_WHEN, "while when whilst because although though if whenever until unless since once"},
    {M_RELATIVE, "that which who whom whose"},
    {M_PARTICLE, "up down off out away back together along around over on in through by forward apart aside ahead"},
    {M_PREPOSITION, "in on at by with from to of for into onto over under through across along around against between behind "
                    "beside near inside outside above below beneath among amid during after before towards toward down up "
                    "off out about as like without within upon past underneath alongside atop via per throughout beyond "
                    "despite until since than vs versus aboard amidst amongst opposite following featuring including"},
    {M_PERSON, "herd herds flock flocks person people man woman boy girl child kid kids children men women baby babies crowd team couple family player "
               "actor band audience guy guys lady gentleman group police model player rider team army army crew toddler teen "
               "hand hands animal animals dog cat horse bird cow sheep elephant giraffe zebra bear puppy kitten duck fish"
               " model skier surfer snowboarder skateboarder skater pedestrian cyclist dogs cats horses birds cows one someone"},
    {M_DAYTIME, "day night morning evening afternoon today tomorrow yesterday week month year weekend tonight noon midnight"},
    {M_FOREIGN, "de la el los las del con para por una uno un le les des du et est dans pour avec sur der die das und ein eine "
                "mit von f\xc3\xbcr auf im dem den zum zur nicht ist il lo gli della di che per nel nella da do dos das em nas nos "
                "na no com uma um mulher homem casa y e o en al que se su sus van het een op te met voor och med som av att det "
                "och p\xc3\xa5 til og er i na z w nie jest oraz je ve bir ile aux au chez sans sous color azul rojo verde blanco "
                "negro sal mujer hombre ni\xc3\xb1o foto imagen vestido largo fiesta avec femme homme maison rouge bleu noir blanc "
                "haus mann frau auf bei sich wie zu"},
    {M_SMALL, "the a an of and in on at with for to from by is are was were this that his her their its my your our it he she "
              "they we you i as or but not be has have near into up down over under while who which there"},
    {M_SPOT, "spot place seat view look trip visit ticket guide introduction room house home area idea ideas"},
    {M_WEAR, "suit dress shirt jacket coat hat uniform costume gown skirt jeans pants shorts sweater helmet glasses sunglasses "
             "clothes clothing outfit tie scarf cap apron vest robe kimono bikini swimsuit t-shirt tuxedo blouse hoodie boots "
             "hair beard attire gear camera backpack bag blazer cardigan pullover sari turban hijab mask beanie gloves bonnet "
             "leggings pajamas pyjamas overalls raincoat overcoat trousers wetsuit mittens crown veil headscarf goggles"},
    {M_SHOW, "showing depicting featuring containing holding wearing displaying covering including using carrying playing "
             "riding eating"},
    {M_NAME, "called named titled entitled dubbed nicknamed"},
    {M_POSSESSIVE, "my your his her its our their whose"},
    {M_PRONOUN, "others ones other one something someone everyone everything anything nothing nobody"},
    {M_COMMAND, "share click follow sign subscribe read watch shop download pin tweet log skip loading join find get browse "
                "discover see learn enter contact add buy order check visit"},
    {M_NEVER_VERB, "close-up closeup stock people his her santa christmas halloween"},
};

static const char *const fixed_pairs =
    "|stainless steel|golden retriever|hot dog|hot dogs|high school|real estate|living room|ice cream|teddy bear|"
    "new york|new zealand|new orleans|new jersey|new delhi|new mexico|new england|new south|new year|white house|"
    "golden gate|middle east|black forest|los angeles|las vegas|santa claus|great wall|great britain|united states|"
    "united kingdom|south africa|south korea|north korea|hot air|french fries|french fry|solar system|grand canyon|"
    "social media|polar bear|polar bears|fast food|high heels|high heel|remote control|electric guitar|"
    "french bulldog|german shepherd|guinea pig|common sense|big ben|big apple|old town|prime minister|red cross|"
    "black friday|martial arts|martial art|fine art|contact us|artificial intelligence|central park|"
    "washing machine|rolling stones|roller coaster|mobile phone|cell phone|first aid|first lady|vice president|"
    "general manager|head coach|public domain|sour cream|hard drive|hot chocolate|wild west|baby boy|baby girl|"
    "star wars|super bowl|super mario|premier league|natural history|los alamos|saudi arabia|sri lanka|costa rica|";

int lists_fixed_pair(const char *first, int n, const char *second, int m)
{
    char key[2 + 64 + 1 + 64 + 1];
    if (n <= 0 || m <= 0 || n > 32 || m > 32)
        return 0;
    key[0] = '|';
    memcpy(key + 1, first, (size_t)n);
    key[1 + n] = ' ';
    memcpy(key + 2 + n, second, (size_t)m);
    key[2 + n + m] = '|';
    return memmem(fixed_pairs, strlen(fixed_pairs), key, (size_t)(n + m + 3)) != NULL;
}

// "in the middle of" is none: the middle is a place.
static const char *const prepositions[] = {
    "in front of", "on top of", "next to", "out of", "because of", "close to", "instead of", "according to", "in between", "inside of",
    "outside of", "off of", "due to", "along with", "such as", "away from", "as well as", "ahead of", "up to", "on board",
};
_Static_assert(sizeof prepositions / sizeof *prepositions == FIXED_PREPOSITIONS, "the table has their words' hashes");

static void mark(struct table *t, const char *text, size_t len, unsigned marks)
{
    struct word *w = len ? (struct word *)table_word(t, text, len) : NULL;
    if (w) {
        w->marks |= marks;
        w->traits = (w->traits & (FRAME_OBJECT | FRAME_NONE)) | word_traits(w, text, len);
        w->set = mends_add(t, w, true, text, len);
    }
}

static void mark_two(struct table *t, const char *text, size_t len, unsigned first, unsigned second)
{
    size_t n = strcspn(text, " "), m;
    if (n >= len)
        return;
    mark(t, text, n, first);
    m = strcspn(text + n + 1, " |");
    mark(t, text + n + 1, m, second);
}

void lists_mark(struct table *t)
{
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        for (const char *p = lists[i].words; *p;) {
            size_t n = strcspn(p, " ");
            mark(t, p, n, lists[i].mark);
            p += n + (p[n] == ' ');
        }
    for (const char *p = fixed_pairs + 1; *p; p += strcspn(p, "|") + 1)
        mark_two(t, p, strcspn(p, "|"), M_PAIR_FIRST, M_PAIR_SECOND);
    for (size_t k = 0; k < FIXED_PREPOSITIONS; k++) {
        const char *word = prepositions[k];
        mark_two(t, word, strlen(word), M_FIXED_FIRST, M_FIXED_SECOND);
        for (int i = 0; i < 3; i++) {
            size_t n = strcspn(word, " ");
            t->prepositions[k][i] = n ? word_hash(word, n) : 0;
            word += n + (word[n] == ' ');
        }
    }
}
