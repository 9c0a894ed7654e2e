#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sweep/sha256.h"

/* FIPS 180-4 examples, and the padding's edges against one another. */
static void test_sha256(void **state)
{
    static const struct {
        const char *text, *hex;
    } known[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    char hex[65], pieces[65], text[200];
    struct sha256 s;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        sha256_init(&s);
        sha256_add(&s, known[i].text, strlen(known[i].text));
        sha256_hex(&s, hex);
        assert_string_equal(hex, known[i].hex);
    }
    memset(text, 'q', sizeof text);
    for (size_t len = 50; len < sizeof text; len++) {
        sha256_init(&s);
        sha256_add(&s, text, len);
        sha256_hex(&s, hex);
        sha256_init(&s);
        for (size_t at = 0; at < len; at += 13)
            sha256_add(&s, text + at, len - at < 13 ? len - at : 13);
        sha256_hex(&s, pieces);
        assert_string_equal(hex, pieces);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sha256),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("sha256", tests, NULL, NULL);
}
