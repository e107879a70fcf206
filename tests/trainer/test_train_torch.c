/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_train_torch.c -- checkpoints that want too much, lie or are damaged, and the line that is said of each. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <offline_trainer/import/torch.h>

#include "torch_file.h"

#define LENGTH(a) (sizeof(a) / sizeof *(a))

/* Whether the bytes, which it frees, are a checkpoint; if not, the error says why. */
static bool
is_checkpoint(torch_bytes bytes, vipann_error *error)
{
    vip_torch torch;
    *error = (vipann_error){VIPANN_OK, ""};
    const bool good = vip_torch_parse(&torch, "folder/a.pth", bytes.all, bytes.n, error) == VIPANN_OK;
    assert_true(good == (error->status == VIPANN_OK));
    vip_torch_close(&torch);
    torch_bytes_free(&bytes);
    return good;
}

static torch_bytes
pickle_only(const void *pickle, size_t n)
{
    return torch_zip(&(torch_member){"archive/data.pkl", pickle, n}, 1);
}

/* ------------------------------------------------------------------------------------------------------ the machine */

#define ARRAY "cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x01\x85"

static void
test_other_names_and_instructions_refuse_the_file(void **state)
{
    (void)state;
    static const struct {
        const char *pickle;
        size_t n; /* 0: up to the zero */
        const char *message;
    } table[] = {
        {"\x80\x02}.", 0, ""},
        {"\x80\x02" ARRAY "Rq\x01(K\x01"
         "h\x01tb0",
         0, "byte 112: 0x30 is no instruction that PyTorch writes; nothing was run"},
        {"\x80\x02"
         "cos\nsystem\n.",
         0, "byte 48: names os.system, which has no place in a checkpoint; nothing was run, do not trust the file"},
        {"\x80\x02"
         "cbuiltins\neval\n.",
         0, "byte 48: names builtins.eval, which has no place in a checkpoint; nothing was run, do not trust the file"},
        {"\x80\x02"
         "ctorch\nload\n.",
         0, "byte 48: names torch.load, which has no place in a checkpoint; nothing was run, do not trust the file"},
        {"\x80\x02"
         "ccollections.OrderedDict\n\n.",
         0,
         "byte 48: names collections.OrderedDict., which has no place in a checkpoint; nothing was run, do not trust "
         "the file"},
        {"\x80\x02"
         "c\x1b[2J\nx\n.",
         0, "byte 48: names ?[2J.x, which has no place in a checkpoint; nothing was run, do not trust the file"},
        {"\x80\x02"
         "caaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\nx\n.",
         0, "byte 48: the name of a function is longer than 64 bytes; nothing was run"},
        {"\x80\x02"
         "cos",
         0, "1 bytes from byte 51 on, but only 0 are left: the file is cut off or damaged; copy it again"},
        {"\x80\x04}.", 0, "byte 46: pickled with protocol 4, expected 2, which torch.save takes by itself"},
        {"\x80\x02\x93.", 0, "byte 48: 0x93 is no instruction that PyTorch writes; nothing was run"}, /* STACK_GLOBAL */
        {"\x80\x02\x82\x01.", 0, "byte 48: 0x82 is no instruction that PyTorch writes; nothing was run"}, /* EXT1 */
        {"(S'x'\nios\nsystem\n.", 0,
         "byte 47: 0x53 is no instruction that PyTorch writes; nothing was run"}, /* STRING, INST */
        {"\x80\x02K\x01)R.", 0, "byte 51: a call that has no place in a checkpoint; nothing was run"},
        {"\x80\x02"
         "ccollections\nOrderedDict\nK\x01\x85R.",
         0, "byte 76: a call that has no place in a checkpoint; nothing was run"},
        {"\x80\x02"
         "ctorch\nFloatStorage\n)R.",
         0, "byte 69: a call that has no place in a checkpoint; nothing was run"},
        {"\x80\x02"
         "ccollections\nOrderedDict\nNR.",
         0, "byte 74: a call whose arguments are no tuple"},
        {"\x80\x02"
         "ctorch._utils\n_rebuild_parameter\n}\x85R.",
         0, "byte 83: a call that has no place in a checkpoint; nothing was run"},
        {"\x80\x02"
         "ctorch._utils\n_rebuild_tensor_v2\n)R.",
         0, "byte 82: a tensor that is not described as PyTorch does"},
        {"\x80\x02K\x01}b.", 0, "byte 51: gives a state to something that has none"},
        {"\x80\x02NQ.", 0, "byte 49: names something outside the pickle that is no storage of PyTorch's"},
    };
    for (size_t i = 0; i < LENGTH(table); i++) {
        vipann_error error;
        const size_t n = table[i].n != 0 ? table[i].n : strlen(table[i].pickle);
        (void)is_checkpoint(pickle_only(table[i].pickle, n), &error);
        assert_string_equal(error.text + (strncmp(error.text, "a.pth: ", 7) == 0 ? 7 : 0), table[i].message);
    }
}

static void
test_the_stack_is_never_left(void **state)
{
    (void)state;
    static const struct {
        const char *pickle, *message;
    } table[] = {
        {".", "the pickle ends with 0 values, expected one"},
        {"}}.", "the pickle ends with 2 values, expected one"},
        {"(}.", "the pickle ends with 2 values, expected one"},
        {"(.", "the pickle ends with 1 values, expected one"},
        {"t.", "an instruction needs a mark, but there is none"},
        {"(tu.", "an instruction needs a mark, but there is none"},
        {"N\x86.", "an instruction needs 2 values, but there are fewer"},
        {"N(\x85.", "an instruction needs 1 values, but there are fewer"},
        {"N(N\x86.", "an instruction needs 2 values, but there are fewer"},
        {"R.", "an instruction needs 2 values, but there are fewer"},
        {"q\x01.", "an instruction needs a value, but there is none"},
        {"N(q\x01.", "an instruction needs a value, but there is none"},
        {"Nb.", "an instruction needs a value, but there is none"},
        {"(NNu.", "an instruction needs a value, but there is none"},
        {"}(Nu.", "a key without a value"},
        {"N(NNu.", "sets items of something that is no dict"},
        {"]NNs.", "sets items of something that is no dict"},
        {"}Na.", "appends to something that is no list"},
        {"h\x05.", "wants value number 5, which was not remembered"},
        {"Nq\x05h\x04.", "wants value number 4, which was not remembered"},
        {"Nr\xff\xff\xff\xff.", "remembers a value as number 4294967295, expected less than 1048576"},
        {"N.", ""},
        {").", ""}, /* nothing is taken from a stack that is not there yet */
    };
    for (size_t i = 0; i < LENGTH(table); i++) {
        vipann_error error;
        char expected[128] =
            "a.pth: holds no dict of tensors; save model.state_dict(), or a dict that has it as 'model'";
        (void)is_checkpoint(pickle_only(table[i].pickle, strlen(table[i].pickle)), &error);
        const char *said = strstr(error.text, ": ") + 2;
        if (table[i].message[0] != '\0') {
            assert_int_equal(strncmp(said, "byte ", 5), 0);
            said = strstr(said, ": ") + 2;
            (void)snprintf(expected, sizeof expected, "%s", table[i].message);
        } else {
            said = error.text;
        }
        assert_string_equal(said, expected);
    }
}

/* begin once, then `again` n times. */
static torch_bytes
flood(const torch_bytes *begin, const char *again, size_t n)
{
    torch_bytes pickle = {0};
    torch_put(&pickle, begin->all, begin->n);
    for (size_t i = 0; i < n; i++) {
        torch_put_text(&pickle, again);
    }
    torch_bytes whole = pickle_only(pickle.all, pickle.n);
    torch_bytes_free(&pickle);
    return whole;
}

static void
expect_flood(const char *begin, const char *again, size_t n, const char *message)
{
    torch_bytes first = {0};
    vipann_error error;
    torch_put_text(&first, begin);
    assert_false(is_checkpoint(flood(&first, again, n), &error));
    assert_non_null(strstr(error.text, message));
    torch_bytes_free(&first);
}

static void
test_the_machine_has_limits(void **state)
{
    (void)state;
    expect_flood("", "N", VIP_PICKLE_STACK + 1, "more than 65536 values on the stack, which no checkpoint has");
    expect_flood("", "(", VIP_PICKLE_STACK + 1, "more than 65536 values on the stack, which no checkpoint has");
    expect_flood("N", "\x85", VIP_PICKLE_TUPLES + 1, "more than 1048576 values in tuples, which no checkpoint has");
    expect_flood("}X\x01\x01\x01\x01.", "", 0, "16843009 bytes from byte 52 on, but only 1 are left");
    expect_flood("\x8a\xff", "x", 254, "255 bytes from byte 48 on, but only 254 are left");

    char text[VIP_PICKLE_TEXT + 1];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    torch_bytes strings = {0};
    torch_string(&strings, text);
    torch_put_text(&strings, "a");
    torch_bytes all = {0};
    torch_put_text(&all, "]");
    for (size_t i = 0; i <= VIP_PICKLE_TEXTS / sizeof text; i++) {
        torch_put(&all, strings.all, strings.n);
    }
    vipann_error error;
    assert_false(is_checkpoint(flood(&all, "", 0), &error));
    assert_non_null(strstr(error.text, "more than 16777216 bytes of strings, which no checkpoint has"));
    torch_bytes_free(&strings);
    torch_bytes_free(&all);
}

/* The same value again and again, from the memo. */
static void
test_entries_storages_and_tensors_have_limits(void **state)
{
    (void)state;
    vipann_error error;
    torch_bytes begin = {0};
    torch_put_text(&begin, "}");
    torch_string(&begin, "a");
    torch_put_text(&begin, "q\x01Ns");
    assert_false(is_checkpoint(flood(&begin, "h\x01Ns", VIP_PICKLE_ENTRIES), &error));
    assert_non_null(strstr(error.text, "more than 262144 entries of dicts, which no checkpoint has"));

    begin.n = 0;
    torch_put_text(&begin, "](");
    torch_string(&begin, "storage");
    torch_put_text(&begin, "ctorch\nFloatStorage\n");
    torch_string(&begin, "0");
    torch_string(&begin, "cpu");
    torch_put_text(&begin, "K\x01tq\x01");
    torch_put_text(&begin, "a");
    assert_false(is_checkpoint(flood(&begin, "h\x01Qa", VIP_PICKLE_TENSORS + 1), &error));
    assert_non_null(strstr(error.text, "more than 16384 storages, which no checkpoint has"));

    torch_put_text(&begin, "ctorch._utils\n_rebuild_tensor_v2\nq\x02"
                           "a(h\x01QK");
    torch_put_byte(&begin, 0); /* the offset */
    torch_put_text(&begin, "))\x89)tq\x03"
                           "a");
    assert_false(is_checkpoint(flood(&begin, "h\x02h\x03Ra", VIP_PICKLE_TENSORS + 1), &error));
    assert_non_null(strstr(error.text, "more than 16384 tensors, which no checkpoint has"));
    torch_bytes_free(&begin);
}

/* ---------------------------------------------------------------------------------------------------------- tensors */

/* A checkpoint whose state dict has one tensor, "a", on a storage of six floats 1 .. 6. */
static torch_bytes
one_tensor(const torch_tensor *tensor)
{
    static const float numbers[] = {1, 2, 3, 4, 5, 6};
    torch_bytes pickle = {0};
    torch_put_text(&pickle, "}");
    torch_string(&pickle, "a");
    torch_rebuild(&pickle, tensor, false);
    torch_put_text(&pickle, "s.");
    const torch_member members[] = {{"x/data.pkl", pickle.all, pickle.n},
                                    {"x/data/0", (const unsigned char *)numbers, sizeof numbers}};
    torch_bytes whole = torch_zip(members, LENGTH(members));
    torch_bytes_free(&pickle);
    return whole;
}

static void
test_tensors_stay_within_their_storages(void **state)
{
    (void)state;
    static const char beyond[] = "a tensor reaches beyond its storage of 6 elements";
    static const char odd[] = "a tensor whose offset, shape or strides are not whole numbers from 0";
    const int64_t huge = INT64_MAX;
    const struct {
        torch_tensor tensor;
        const char *message;
    } table[] = {
        {{.rank = 1, .shape = {6}, .stride = {1}}, ""},
        {{.rank = 1, .shape = {7}, .stride = {1}}, beyond},
        {{.rank = 1, .shape = {5}, .stride = {1}, .offset = 1}, ""},
        {{.rank = 1, .shape = {6}, .stride = {1}, .offset = 1}, beyond},
        {{.rank = 0, .offset = 5}, ""},
        {{.rank = 0, .offset = 6}, beyond},
        {{.rank = 2, .shape = {2, 3}, .stride = {1, 2}}, ""},
        {{.rank = 2, .shape = {2, 3}, .stride = {2, 2}}, beyond},
        {{.rank = 1, .shape = {0}, .stride = {huge}, .offset = 6}, ""},
        {{.rank = 1, .shape = {0}, .stride = {1}, .offset = 7}, beyond},
        {{.rank = 1, .shape = {1}, .stride = {huge}}, ""},
        {{.rank = 1, .shape = {3}, .stride = {huge}}, beyond}, /* 2^64 - 2: wraps with an offset */
        {{.rank = 1, .shape = {3}, .stride = {huge}, .offset = 2}, beyond},
        {{.rank = 1, .shape = {5}, .stride = {1LL << 62}}, beyond}, /* 2^64 */
        {{.rank = 3, .shape = {1LL << 32, 1LL << 32, 2}, .stride = {0, 0, 0}},
         beyond}, /* 2^65 elements, all the same */
        {{.rank = 1, .shape = {6}, .stride = {-1}, .offset = 5}, odd},
        {{.rank = 1, .shape = {-1}, .stride = {1}}, odd},
        {{.rank = 1, .shape = {1}, .stride = {1}, .offset = -1}, odd},
        {{.rank = 9}, "a tensor of 9 dimensions, expected at most 8"},
    };
    for (size_t i = 0; i < LENGTH(table); i++) {
        torch_tensor tensor = table[i].tensor;
        vipann_error error;
        tensor.storage = "FloatStorage";
        tensor.key = "0";
        tensor.elements = 6;
        (void)is_checkpoint(one_tensor(&tensor), &error);
        assert_int_equal(error.text[0] == '\0', table[i].message[0] == '\0');
        assert_non_null(strstr(error.text, table[i].message));
    }
}

static void
test_strides_and_shared_storages_give_the_right_numbers(void **state)
{
    (void)state;
    static const struct {
        torch_tensor tensor;
        float numbers[6];
    } table[] = {
        {{.rank = 2, .shape = {2, 3}, .stride = {3, 1}}, {1, 2, 3, 4, 5, 6}},
        {{.rank = 2, .shape = {2, 3}, .stride = {1, 2}}, {1, 3, 5, 2, 4, 6}},
        {{.rank = 1, .shape = {2}, .stride = {3}, .offset = 2}, {3, 6}},
        {{.rank = 3, .shape = {1, 2, 2}, .stride = {9, 0, 2}, .offset = 1}, {2, 4, 2, 4}},
        {{.rank = 0, .offset = 4}, {5}},
    };
    for (size_t i = 0; i < LENGTH(table); i++) {
        torch_tensor tensor = table[i].tensor;
        tensor.storage = "FloatStorage";
        tensor.key = "0";
        tensor.elements = 6;
        torch_bytes bytes = one_tensor(&tensor);
        vip_torch torch;
        assert_int_equal(vip_torch_parse(&torch, "a", bytes.all, bytes.n, NULL), VIPANN_OK);
        float numbers[2][6] = {{0}};
        vip_torch_want wants[] = {{.entry = vip_torch_find(&torch, "a"), .out = numbers[0]},
                                  {.entry = vip_torch_find(&torch, "a"), .out = numbers[1]}};
        assert_int_equal(vip_torch_load(&torch, wants, 2, NULL), VIPANN_OK);
        assert_memory_equal(numbers[0], table[i].numbers, sizeof numbers[0]);
        assert_memory_equal(numbers[1], table[i].numbers, sizeof numbers[1]);
        vip_torch_close(&torch);
        torch_bytes_free(&bytes);
    }
}

static void
test_storages_are_as_large_as_they_say(void **state)
{
    (void)state;
    static const struct {
        const char *storage, *key;
        int64_t elements;
        const char *message;
    } table[] = {
        {"FloatStorage", "0", 6, ""},
        {"HalfStorage", "0", 12, ""},
        {"BoolStorage", "0", 24, ""},
        {"FloatStorage", "0", 5, "a.pth: data/0 has 24 bytes, expected 5 elements of FloatStorage"},
        {"DoubleStorage", "0", 6, "a.pth: data/0 has 24 bytes, expected 6 elements of DoubleStorage"},
        {"FloatStorage", "0", 4611686018427387910,
         "a.pth: data/0 has 24 bytes, expected 4611686018427387910 elements of FloatStorage"}, /* 2^62 + 6 */
        {"FloatStorage", "0", -1, "names something outside the pickle that is no storage of PyTorch's"},
        {"FloatStorage", "1", 6, "a.pth: data/1 is missing in the zip file"},
        {"FloatStorage", "../data.pkl", 6, "a.pth: data/../data.pkl is missing in the zip file"},
        {"ComplexFloatStorage", "0", 3, "names torch.ComplexFloatStorage, which has no place in a checkpoint"},
    };
    for (size_t i = 0; i < LENGTH(table); i++) {
        const torch_tensor tensor = {.storage = table[i].storage, .key = table[i].key, .elements = table[i].elements};
        vipann_error error;
        (void)is_checkpoint(one_tensor(&tensor), &error);
        assert_int_equal(error.text[0] == '\0', table[i].message[0] == '\0');
        assert_non_null(strstr(error.text, table[i].message));
    }
}

/* How many elements a storage has, as numbers of few bytes: with their sign. */
static void
test_whole_numbers_have_their_sign(void **state)
{
    (void)state;
    static const char none[] = "names something outside the pickle that is no storage of PyTorch's";
    static const struct {
        size_t n;
        const char *number, *message;
    } table[] = {
        {2, "K\x06", ""},
        {3, "M\x06\0", ""},
        {5, "J\x06\0\0\0", ""},
        {5, "J\xff\xff\xff\xff", none},
        {2, "\x8a\0", "data/0 has 24 bytes, expected 0 elements"},
        {3, "\x8a\x01\x06", ""},
        {3, "\x8a\x01\x86", none},
        {4, "\x8a\x02\x86\0", "data/0 has 24 bytes, expected 134 elements"},
        {9, "\x8a\x07\xff\xff\xff\xff\xff\xff\xff", none},
        {11, "\x8a\x09\x06\0\0\0\0\0\0\0\0", none}, /* too long to be one of ours */
    };
    for (size_t i = 0; i < LENGTH(table); i++) {
        static const float numbers[6];
        torch_bytes pickle = {0};
        vipann_error error;
        torch_put_text(&pickle, "}");
        torch_string(&pickle, "a");
        torch_put_text(&pickle, "(");
        torch_string(&pickle, "storage");
        torch_put_text(&pickle, "ctorch\nFloatStorage\n");
        torch_string(&pickle, "0");
        torch_put_text(&pickle, "N");
        torch_put(&pickle, table[i].number, table[i].n);
        torch_put_text(&pickle, "tQs.");
        const torch_member members[] = {{"x/data.pkl", pickle.all, pickle.n},
                                        {"x/data/0", (const unsigned char *)numbers, sizeof numbers}};
        (void)is_checkpoint(torch_zip(members, LENGTH(members)), &error);
        assert_int_equal(error.text[0] == '\0', table[i].message[0] == '\0');
        assert_non_null(strstr(error.text, table[i].message));
        torch_bytes_free(&pickle);
    }
}

/* -------------------------------------------------------------------------------------------------------- containers */

/* A small good checkpoint: two tensors, of float and of half. */
static torch_bytes
good(bool legacy)
{
    torch_file file;
    torch_begin(&file, legacy);
    torch_add(&file, "a", VIP_ELEMENT_FLOAT, (const float[]){1, 2, 3}, 1, (const int64_t[]){3});
    torch_add(&file, "b", VIP_ELEMENT_HALF, (const float[]){4}, 0, NULL);
    return torch_end(&file);
}

static void
test_a_cut_checkpoint_is_refused_whatever_its_length(void **state)
{
    (void)state;
    for (int legacy = 0; legacy < 2; legacy++) {
        torch_bytes whole = good(legacy == 1);
        vipann_error error;
        for (size_t n = 0; n < whole.n; n++) {
            torch_bytes cut = {0};
            torch_put(&cut, whole.all, n);
            assert_false(is_checkpoint(cut, &error));
            assert_int_equal(strncmp(error.text, "a.pth: ", 7), 0);
        }
        torch_put_byte(&whole, 0);
        assert_false(is_checkpoint(whole, &error));
    }
}

/* Every byte of a small file becomes each of a few others: whatever it is then, it does no harm. */
static void
test_damaged_checkpoints_do_no_harm(void **state)
{
    (void)state;
    static const unsigned char changes[] = {0x01, 0x80, 0xff, 0x20};
    for (int legacy = 0; legacy < 2; legacy++) {
        torch_bytes whole = good(legacy == 1);
        for (size_t i = 0; i < whole.n * LENGTH(changes); i++) {
            torch_bytes damaged = {0};
            vipann_error error;
            torch_put(&damaged, whole.all, whole.n);
            damaged.all[i / LENGTH(changes)] ^= changes[i % LENGTH(changes)];
            if (!is_checkpoint(damaged, &error)) {
                assert_int_equal(strncmp(error.text, "a.pth: ", 7), 0);
            }
        }
        torch_bytes_free(&whole);
    }
}

/* The numbers of a zip file are covered by checksums. */
static void
test_a_changed_number_is_noticed(void **state)
{
    (void)state;
    torch_bytes whole = good(false);
    static const unsigned char one[] = {0, 0, 0x80, 0x3f, 0, 0, 0, 0x40};
    size_t at = 0;
    while (memcmp(whole.all + at, one, sizeof one) != 0) {
        at++;
    }
    whole.all[at] ^= 1;
    vip_torch torch;
    vipann_error error;
    float numbers[3];
    assert_int_equal(vip_torch_parse(&torch, "a.pth", whole.all, whole.n, &error), VIPANN_OK);
    vip_torch_want want = {.entry = vip_torch_find(&torch, "a"), .out = numbers};
    assert_int_equal(vip_torch_load(&torch, &want, 1, &error), VIPANN_E_FORMAT);
    assert_non_null(strstr(error.text, "a.pth: member archive/data/0 of the zip file: checksum "));
    vip_torch_close(&torch);
    torch_bytes_free(&whole);
}

/* What an old container may get wrong around its object. */
static void
test_old_containers_name_every_storage_once(void **state)
{
    (void)state;
    static const char magic[] = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";
    static const struct {
        const char *version, *order, *keys; /* separated by spaces; NULL: no list */
        uint64_t count;
        const char *message;
    } table[] = {
        {"\x80\x02M\xe9\x03.", "\x88", "0", 1, ""},
        {"\x80\x02M\xea\x03.", "\x88", "0", 1, "a.pth: an old container of PyTorch of another version, expected 1001"},
        {"\x80\x02M\xe9\x03.", "\x89", "0", 1, "a.pth: little_endian is not True; save it on a usual machine"},
        {"\x80\x02M\xe9\x03.", "\x88", NULL, 1, "a.pth: behind the object comes no list of storages"},
        {"\x80\x02M\xe9\x03.", "\x88", "", 1, "a.pth: storage '0' is not in the list of storages"},
        {"\x80\x02M\xe9\x03.", "\x88", "1", 1, "a.pth: the list of storages has '1', which no tensor uses"},
        {"\x80\x02M\xe9\x03.", "\x88", "0 0", 1, "a.pth: the list of storages has '0', which it had before"},
        {"\x80\x02M\xe9\x03.", "\x88", "0", 2,
         "a.pth: storage '0' has 2 elements of FloatStorage, expected 1 of FloatStorage"},
    };
    for (size_t i = 0; i < LENGTH(table); i++) {
        static const torch_tensor tensor = {.storage = "FloatStorage", .key = "0", .elements = 1};
        torch_bytes whole = {0};
        vipann_error error;
        torch_put(&whole, magic, sizeof magic - 1);
        torch_put_text(&whole, table[i].version);
        torch_put_text(&whole, "}");
        torch_string(&whole, "little_endian");
        torch_put_text(&whole, table[i].order);
        torch_put_text(&whole, "s.}");
        torch_string(&whole, "a");
        torch_rebuild(&whole, &tensor, true);
        torch_put_text(&whole, "s.");
        torch_put_text(&whole, table[i].keys == NULL ? "N" : "]");
        for (const char *key = table[i].keys; key != NULL && *key != '\0'; key += key[1] == ' ' ? 2 : 1) {
            torch_string(&whole, (const char[]){*key, '\0'});
            torch_put_text(&whole, "a");
        }
        torch_put_text(&whole, ".");
        torch_put_little(&whole, table[i].count, 8);
        torch_put_little(&whole, 0x3f800000, 4);
        (void)is_checkpoint(whole, &error);
        assert_string_equal(error.text, table[i].message);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_other_names_and_instructions_refuse_the_file),
        cmocka_unit_test(test_the_stack_is_never_left),
        cmocka_unit_test(test_the_machine_has_limits),
        cmocka_unit_test(test_entries_storages_and_tensors_have_limits),
        cmocka_unit_test(test_tensors_stay_within_their_storages),
        cmocka_unit_test(test_strides_and_shared_storages_give_the_right_numbers),
        cmocka_unit_test(test_storages_are_as_large_as_they_say),
        cmocka_unit_test(test_whole_numbers_have_their_sign),
        cmocka_unit_test(test_a_cut_checkpoint_is_refused_whatever_its_length),
        cmocka_unit_test(test_damaged_checkpoints_do_no_harm),
        cmocka_unit_test(test_a_changed_number_is_noticed),
        cmocka_unit_test(test_old_containers_name_every_storage_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
