// SPDX-License-Identifier: Apache-2.0
#include "model/pickle.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

enum { PICKLE_MAX = 8 << 20, MARK = -1 };

// Every name a pickle may speak of.
enum name { ORDERED_DICT, REBUILD_TENSOR, REBUILD_PARAMETER, TORCH_SIZE, STORAGES };
static const struct {
    const char *module, *name;
    enum st_type type;           // of a storage
} names[] = {
    [ORDERED_DICT] = {"collections", "OrderedDict", 0},
    [REBUILD_TENSOR] = {"torch._utils", "_rebuild_tensor_v2", 0},
    [REBUILD_PARAMETER] = {"torch._utils", "_rebuild_parameter", 0},
    [TORCH_SIZE] = {"torch", "Size", 0},
    [STORAGES] = {"torch", "FloatStorage", ST_F32},
    {"torch", "HalfStorage", ST_F16},
    {"torch", "BFloat16Storage", ST_BF16},
    {"torch", "DoubleStorage", ST_F64},
    {"torch", "LongStorage", ST_I64},
    {"torch", "IntStorage", ST_I32},
    {"torch", "ShortStorage", ST_I16},
    {"torch", "CharStorage", ST_I8},
    {"torch", "ByteStorage", ST_U8},
    {"torch", "BoolStorage", ST_BOOL},
};
enum { NAMES = sizeof names / sizeof *names };

struct machine {
    struct pickle *p;
    const unsigned char *start, *at, *end;
    const char *path;
    int *stack, *memo;           // values; MARK
    int depth, memos;
    int room_values, room_cells, room_tensors, room_stack, room_memo;
};

// --- memory --------------------------------------------------------------------------------------------------------

// Room for one more of `size` bytes; NULL: none.
static void *grow(void *list, int n, int *room, size_t size)
{
    if (n < *room)
        return list;
    if (*room > INT_MAX / 2)
        return NULL;
    int wanted = *room ? *room * 2 : 64;
    void *fresh = realloc(list, (size_t)wanted * size);
    if (fresh)
        *room = wanted;
    return fresh;
}

static int push(struct machine *m, int value)
{
    void *more = grow(m->stack, m->depth, &m->room_stack, sizeof *m->stack);
    if (!more)
        return FAIL(EMEMORY_, "out of memory");
    m->stack = more;
    m->stack[m->depth++] = value;
    return 0;
}

static int make(struct machine *m, struct pickle_value v, int *out)
{
    struct pickle *p = m->p;
    void *more = grow(p->values, p->nvalues, &m->room_values, sizeof *p->values);
    if (!more)
        return FAIL(EMEMORY_, "out of memory");
    p->values = more;
    v.first = v.last = -1;
    p->values[*out = p->nvalues++] = v;
    return 0;
}

static int push_new(struct machine *m, struct pickle_value v)
{
    int i = -1, rc = make(m, v, &i);
    return rc ? rc : push(m, i);
}

static int append(struct machine *m, int to, int key, int value)
{
    struct pickle *p = m->p;
    void *more = grow(p->cells, p->ncells, &m->room_cells, sizeof *p->cells);
    if (!more)
        return FAIL(EMEMORY_, "out of memory");
    p->cells = more;
    struct pickle_value *v = &p->values[to];
    p->cells[p->ncells] = (struct pickle_cell){key, value, -1};
    if (v->last >= 0)
        p->cells[v->last].next = p->ncells;
    else
        v->first = p->ncells;
    v->last = p->ncells++;
    v->n++;
    return 0;
}

static int remember(struct machine *m, uint64_t place, int value)
{
    // Picklers number their notes in order; a gap would let a file ask for memory by a number alone.
    if (place > (uint64_t)m->memos)
        return FAIL(EFORMAT_, "%s: pickle byte %td: note %llu after %d notes", m->path, m->at - m->start,
                    (unsigned long long)place, m->memos);
    if (place == (uint64_t)m->memos) {
        void *more = grow(m->memo, m->memos, &m->room_memo, sizeof *m->memo);
        if (!more)
            return FAIL(EMEMORY_, "out of memory");
        m->memo = more;
        m->memos++;
    }
    m->memo[place] = value;
    return 0;
}

// --- reading -------------------------------------------------------------------------------------------------------

static int bad(const struct machine *m, const char *what)
{
    return FAIL(EFORMAT_, "%s: pickle byte %td: %s", m->path, m->at - m->start, what);
}

// n bytes of argument, or NULL with a sentence.
static const unsigned char *take(struct machine *m, uint64_t n)
{
    if (n > (uint64_t)(m->end - m->at)) {
        (void)bad(m, "it ends within an operation");
        return NULL;
    }
    const unsigned char *p = m->at;
    m->at += n;
    return p;
}

static uint64_t little(const unsigned char *p, int n)
{
    uint64_t x = 0;
    for (int i = n - 1; i >= 0; i--)
        x = x << 8 | p[i];
    return x;
}

static int push_int(struct machine *m, int bytes, bool with_sign)
{
    const unsigned char *p = take(m, (uint64_t)bytes);
    if (!p)
        return EFORMAT_;
    uint64_t x = bytes ? little(p, bytes) : 0;
    if (with_sign && bytes && bytes < 8 && p[bytes - 1] & 0x80)
        x |= UINT64_MAX << (8 * bytes);
    return push_new(m, (struct pickle_value){.kind = PICKLE_INT, .number = (int64_t)x});
}

static int push_long(struct machine *m)
{
    const unsigned char *n = take(m, 1);
    if (!n)
        return EFORMAT_;
    return *n > 8 ? bad(m, "a number of more than 64 bits") : push_int(m, *n, true);
}

static int push_real(struct machine *m)
{
    const unsigned char *p = take(m, 8);
    if (!p)
        return EFORMAT_;
    uint64_t bits = 0;
    for (int i = 0; i < 8; i++)   // the one big-endian number of the format
        bits = bits << 8 | p[i];
    double x;
    memcpy(&x, &bits, sizeof x);
    return push_new(m, (struct pickle_value){.kind = PICKLE_REAL, .real = x});
}

static int push_text(struct machine *m, int bytes)
{
    const unsigned char *n = take(m, (uint64_t)bytes), *p = n ? take(m, little(n, bytes)) : NULL;
    if (!p)
        return EFORMAT_;
    return push_new(m, (struct pickle_value){.kind = PICKLE_TEXT, .text = (const char *)p,
                                             .len = (size_t)little(n, bytes)});
}

static int push_name(struct machine *m, const char *module, size_t module_len, const char *name, size_t name_len)
{
    for (int i = 0; i < NAMES; i++)
        if (strlen(names[i].module) == module_len && memcmp(names[i].module, module, module_len) == 0 &&
            strlen(names[i].name) == name_len && memcmp(names[i].name, name, name_len) == 0)
            return push_new(m, (struct pickle_value){.kind = PICKLE_NAME, .number = i});
    return FAIL(EUNSUPPORTED_, "%s: its pickle asks for %.*s.%.*s, which is not one of the names a list of tensors needs; "
                "nothing in a pickle is run: save the state_dict alone, or as .safetensors", m->path,
                (int)(module_len < 60 ? module_len : 60), module, (int)(name_len < 60 ? name_len : 60), name);
}

static int push_global(struct machine *m)
{
    const char *line[2];
    size_t len[2];
    for (int i = 0; i < 2; i++) {
        const unsigned char *end = memchr(m->at, '\n', (size_t)(m->end - m->at));
        if (!end)
            return bad(m, "a name without an end");
        line[i] = (const char *)m->at;
        len[i] = (size_t)(end - m->at);
        m->at = end + 1;
    }
    return push_name(m, line[0], len[0], line[1], len[1]);
}

// --- the stack -----------------------------------------------------------------------------------------------------

// The value n below the top, which is not a mark; -1 with a sentence.
static int peek(const struct machine *m, int n)
{
    if (m->depth <= n || m->stack[m->depth - 1 - n] == MARK) {
        (void)bad(m, "an operation without its operands");
        return -1;
    }
    return m->stack[m->depth - 1 - n];
}

static struct pickle_value *top(const struct machine *m, int n)
{
    int i = peek(m, n);
    return i < 0 ? NULL : &m->p->values[i];
}

// Entry of the stack after the last mark; -1 with a sentence.
static int after_mark(const struct machine *m)
{
    for (int i = m->depth; i > 0; i--)
        if (m->stack[i - 1] == MARK)
            return i;
    (void)bad(m, "no mark");
    return -1;
}

static int tuple(struct machine *m, int from)
{
    int t = -1, rc = make(m, (struct pickle_value){.kind = PICKLE_TUPLE}, &t);
    for (int i = from; i < m->depth && !rc; i++)
        rc = m->stack[i] == MARK ? bad(m, "a mark inside a tuple") : append(m, t, -1, m->stack[i]);
    m->depth = from;
    return rc ? rc : push(m, t);
}

static int tuple_marked(struct machine *m)
{
    int from = after_mark(m);
    if (from < 0)
        return EFORMAT_;
    int rc = tuple(m, from);   // it lies above the mark now
    if (!rc) {
        m->stack[m->depth - 2] = m->stack[m->depth - 1];
        m->depth--;
    }
    return rc;
}

static int tuple_of(struct machine *m, int n)
{
    for (int i = 0; i < n; i++)
        if (peek(m, i) < 0)
            return EFORMAT_;
    return tuple(m, m->depth - n);
}

// Entries from `from` into the list or dictionary `below` them.
static int add_items(struct machine *m, int from, int below, enum pickle_kind kind)
{
    int step = kind == PICKLE_DICT ? 2 : 1, rc = 0;
    if (below < 0 || m->stack[below] == MARK || m->p->values[m->stack[below]].kind != kind || (m->depth - from) % step)
        return bad(m, "items for what is not a list or dictionary");
    for (int i = from; i < m->depth && !rc; i += step) {
        int key = step == 2 ? m->stack[i] : -1, value = m->stack[i + step - 1];
        rc = append(m, m->stack[below], key, value);
    }
    m->depth = below + 1;
    return rc;
}

static int add_marked(struct machine *m, enum pickle_kind kind)
{
    int from = after_mark(m);
    return from < 0 ? EFORMAT_ : add_items(m, from, from - 2, kind);
}

static int add_one(struct machine *m, enum pickle_kind kind)
{
    int n = kind == PICKLE_DICT ? 2 : 1;
    for (int i = 0; i <= n; i++)
        if (peek(m, i) < 0)
            return EFORMAT_;
    return add_items(m, m->depth - n, m->depth - n - 1, kind);
}

// --- tensors -------------------------------------------------------------------------------------------------------

// Value k of a tuple, or -1.
static int item(const struct machine *m, const struct pickle_value *t, int k)
{
    int c = t->first;
    while (c >= 0 && k-- > 0)
        c = m->p->cells[c].next;
    return c < 0 ? -1 : m->p->cells[c].value;
}

// Whole numbers >= 0 of a tuple; their count, -1: it is none of them.
static int numbers(const struct machine *m, int tuple, int64_t out[ST_DIMS])
{
    const struct pickle_value *t = &m->p->values[tuple];
    if (t->kind != PICKLE_TUPLE || t->n > ST_DIMS)
        return -1;
    int n = 0;
    for (int c = t->first; c >= 0; c = m->p->cells[c].next) {
        const struct pickle_value *v = &m->p->values[m->p->cells[c].value];
        if (v->kind != PICKLE_INT || v->number < 0)
            return -1;
        out[n++] = v->number;
    }
    return n;
}

// ("storage", type, key, place, elements) on the stack becomes a storage.
static int storage(struct machine *m)
{
    struct pickle_value *t = top(m, 0);
    if (!t)
        return EFORMAT_;
    if (t->kind != PICKLE_TUPLE || t->n != 5)
        return bad(m, "a reference that is not to a storage");
    const struct pickle_value *word = &m->p->values[item(m, t, 0)], *type = &m->p->values[item(m, t, 1)],
                              *key = &m->p->values[item(m, t, 2)], *count = &m->p->values[item(m, t, 4)];
    if (word->kind != PICKLE_TEXT || word->len != 7 || memcmp(word->text, "storage", 7) != 0 ||
        type->kind != PICKLE_NAME || type->number < STORAGES || key->kind != PICKLE_TEXT || count->kind != PICKLE_INT ||
        count->number < 0)
        return bad(m, "a reference that is not to a storage");
    struct pickle_value v = {.kind = PICKLE_STORAGE, .type = names[type->number].type, .text = key->text,
                             .len = key->len, .number = count->number};
    m->depth--;
    return push_new(m, v);
}

// (storage, offset, shape, stride, ...)
static int tensor(struct machine *m, const struct pickle_value *args)
{
    struct pickle_tensor t = {0};
    int of = item(m, args, 0), offset = item(m, args, 1), shape = item(m, args, 2), stride = item(m, args, 3);
    if (stride < 0 || m->p->values[of].kind != PICKLE_STORAGE || m->p->values[offset].kind != PICKLE_INT ||
        m->p->values[offset].number < 0)
        return bad(m, "a tensor without storage, offset, shape and stride");
    t.storage = of;
    t.offset = m->p->values[offset].number;
    t.ndim = numbers(m, shape, t.shape);
    if (t.ndim < 0 || numbers(m, stride, t.stride) != t.ndim)
        return bad(m, "a tensor's shape and stride are not whole numbers of up to 8 dimensions");
    void *more = grow(m->p->tensors, m->p->ntensors, &m->room_tensors, sizeof *m->p->tensors);
    if (!more)
        return FAIL(EMEMORY_, "out of memory");
    m->p->tensors = more;
    m->p->tensors[m->p->ntensors] = t;
    m->depth -= 2;
    return push_new(m, (struct pickle_value){.kind = PICKLE_TENSOR, .tensor = m->p->ntensors++});
}

// name(arguments) for the four names that may be called.
static int reduce(struct machine *m)
{
    struct pickle_value *args = top(m, 0), *name = args ? top(m, 1) : NULL;
    if (!name)
        return EFORMAT_;
    if (args->kind != PICKLE_TUPLE || name->kind != PICKLE_NAME)
        return bad(m, "a call of what is not a name");
    int first = item(m, args, 0);
    switch (name->number) {
    case REBUILD_TENSOR:
        return tensor(m, args);
    case REBUILD_PARAMETER:
        if (first < 0 || m->p->values[first].kind != PICKLE_TENSOR)
            return bad(m, "a parameter that is not a tensor");
        m->depth -= 2;
        return push(m, first);
    case TORCH_SIZE:
        if (first < 0 || m->p->values[first].kind != PICKLE_TUPLE)
            return bad(m, "a size that is not a tuple");
        m->depth -= 2;
        return push(m, first);
    case ORDERED_DICT:
        if (first >= 0)
            return bad(m, "a dictionary made from a list");
        m->depth -= 2;
        return push_new(m, (struct pickle_value){.kind = PICKLE_DICT});
    default:
        return bad(m, "a storage type is called");
    }
}

// A dictionary's attributes (PyTorch's _metadata) are let go.
static int build(struct machine *m)
{
    struct pickle_value *state = top(m, 0), *of = state ? top(m, 1) : NULL;
    if (!of)
        return EFORMAT_;
    if (of->kind != PICKLE_DICT || state->kind != PICKLE_DICT)
        return bad(m, "attributes of what is not a dictionary");
    m->depth--;
    return 0;
}

// --- operations ----------------------------------------------------------------------------------------------------

static int note(struct machine *m, int bytes)
{
    const unsigned char *p = take(m, (uint64_t)bytes);
    int value = p ? peek(m, 0) : -1;
    return value < 0 ? EFORMAT_ : remember(m, bytes ? little(p, bytes) : (uint64_t)m->memos, value);
}

static int recall(struct machine *m, int bytes)
{
    const unsigned char *p = take(m, (uint64_t)bytes);
    if (!p)
        return EFORMAT_;
    uint64_t place = little(p, bytes);
    return place >= (uint64_t)m->memos ? bad(m, "a note that was never made") : push(m, m->memo[place]);
}

static int stack_global(struct machine *m)
{
    struct pickle_value *name = top(m, 0), *module = name ? top(m, 1) : NULL;
    if (!module)
        return EFORMAT_;
    if (name->kind != PICKLE_TEXT || module->kind != PICKLE_TEXT)
        return bad(m, "a name that is not a text");
    m->depth -= 2;
    return push_name(m, module->text, module->len, name->text, name->len);
}

static int skip(struct machine *m, int n) { return take(m, (uint64_t)n) ? 0 : EFORMAT_; }

// One operation; every opcode that is allowed is a line here.
static int operate(struct machine *m, unsigned char op)
{
    switch (op) {
    case 0x80: return skip(m, 1);                                        // PROTO
    case 0x95: return skip(m, 8);                                        // FRAME
    case '(': return push(m, MARK);
    case '}': return push_new(m, (struct pickle_value){.kind = PICKLE_DICT});
    case ']': return push_new(m, (struct pickle_value){.kind = PICKLE_LIST});
    case ')': return push_new(m, (struct pickle_value){.kind = PICKLE_TUPLE});
    case 'N': return push_new(m, (struct pickle_value){.kind = PICKLE_NONE});
    case 0x88: return push_new(m, (struct pickle_value){.kind = PICKLE_BOOL, .number = 1});
    case 0x89: return push_new(m, (struct pickle_value){.kind = PICKLE_BOOL});
    case 'K': return push_int(m, 1, false);                              // BININT1
    case 'M': return push_int(m, 2, false);                              // BININT2
    case 'J': return push_int(m, 4, true);                               // BININT
    case 0x8a: return push_long(m);                                      // LONG1
    case 'G': return push_real(m);                                       // BINFLOAT
    case 0x8c: return push_text(m, 1);                                   // SHORT_BINUNICODE
    case 'X': return push_text(m, 4);                                    // BINUNICODE
    case 't': return tuple_marked(m);
    case 0x85: return tuple_of(m, 1);
    case 0x86: return tuple_of(m, 2);
    case 0x87: return tuple_of(m, 3);
    case 'a': return add_one(m, PICKLE_LIST);                            // APPEND
    case 'e': return add_marked(m, PICKLE_LIST);                         // APPENDS
    case 's': return add_one(m, PICKLE_DICT);                            // SETITEM
    case 'u': return add_marked(m, PICKLE_DICT);                         // SETITEMS
    case 'q': return note(m, 1);                                         // BINPUT
    case 'r': return note(m, 4);                                         // LONG_BINPUT
    case 0x94: return note(m, 0);                                        // MEMOIZE
    case 'h': return recall(m, 1);                                       // BINGET
    case 'j': return recall(m, 4);                                       // LONG_BINGET
    case 'c': return push_global(m);                                     // GLOBAL
    case 0x93: return stack_global(m);                                   // STACK_GLOBAL
    case 'Q': return storage(m);                                         // BINPERSID
    case 'R': return reduce(m);                                          // REDUCE
    case 'b': return build(m);                                           // BUILD
    default:
        return FAIL(EUNSUPPORTED_, "%s: pickle byte %td: operation 0x%02x is not one of those a list of tensors needs; "
                    "nothing in a pickle is run: save the state_dict alone, or as .safetensors", m->path,
                    m->at - m->start - 1, op);
    }
}

int pickle_parse(struct pickle *p, const unsigned char *at, size_t size, const char *path)
{
    struct machine m = {.p = p, .start = at, .at = at, .end = at + size, .path = path};
    memset(p, 0, sizeof *p);
    int rc = 0;
    if (size > PICKLE_MAX)
        rc = FAIL(EFORMAT_, "%s: a pickle of %zu bytes; lists of tensors have far less than %d", path, size, PICKLE_MAX);
    while (!rc && m.at < m.end && *m.at != '.') {
        unsigned char op = *m.at++;
        rc = operate(&m, op);
    }
    if (!rc && m.at == m.end)
        rc = bad(&m, "it ends without saying so");
    if (!rc && (p->root = peek(&m, 0)) < 0)
        rc = EFORMAT_;
    free(m.stack);
    free(m.memo);
    if (rc)
        pickle_free(p);
    return rc;
}

void pickle_free(struct pickle *p)
{
    free(p->values);
    free(p->cells);
    free(p->tensors);
    memset(p, 0, sizeof *p);
}

int pickle_get(const struct pickle *p, int dict, const char *key)
{
    int found = -1;
    size_t len = strlen(key);
    if (p->values[dict].kind != PICKLE_DICT)
        return -1;
    for (int c = p->values[dict].first; c >= 0; c = p->cells[c].next) {
        const struct pickle_value *k = &p->values[p->cells[c].key];
        if (k->kind == PICKLE_TEXT && k->len == len && memcmp(k->text, key, len) == 0)
            found = p->cells[c].value;   // as in Python, the last one holds
    }
    return found;
}
