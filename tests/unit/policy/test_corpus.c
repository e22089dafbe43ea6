/* Every document of the corpus and the articles compiles, alone and with real expressions, but for those named here. */
#include "policy/plan.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "exchange/context_families.h"
#include "expr/program.h"
#include "test.h"

/* The error is theirs: quotes pasted or escaped wrong, words in place of numbers, members and types that no gateway has,
 * names that only a tool knows. What the first message must say. */
static const struct {
    const char *file, *message;
} known_bad[] = {
    {"Snippets__Call_out_to_an_HTTP_endpoint_and_cache_the_response.policy.xml.removed.xml",
     "expected ']', found the end; the '['"},
    {"Snippets__Filter_response_content_based_on_product_name.policy.xml.removed.xml",
     "expected ')', found '\"\"' (CS1026)"},
    {"examples__Call_out_to_an_HTTP_endpoint_and_cache_the_response.policy.xml",
     "expected ']', found the end; the '['"},
    {"examples__DELETE_a_from_to_blobStorage_account.xml",
     "`MatchedParameters` is not a method (CS1955)"},
    {"examples__GET_a_file_from_blobStorage_account.xml",
     "`MatchedParameters` is not a method (CS1955)"},
    {"examples__Loopback_request_for_service_at_same_API_Management_service.xml",
     "expected ')', found '\"\"' (CS1026)"},
    {"examples__Loopback_request_for_service_at_same_apim.xml.removed.xml",
     "expected ')', found '\"\"' (CS1026)"},
    {"examples__PUT_a_file_to_blobStorage_account.xml",
     "`MatchedParameters` is not a method (CS1955)"},
    {"examples__Pre-authorize_requests_based_on_HTTP_method_with_validate-jwt.policy.xml",
     "expected ')', found '\"\"' (CS1026)"},
    {"examples__Return_a_blob_URL_signed_with_a_user_delegation_SAS_token.xml",
     "argument 1 of `AddSeconds` is `string`, expected `double` (CS1503)"},
    {"apim-lab__4-policy-expressions__policy-expressions-4-3-transformation.md.embedded0.xml",
     "expected </policies>, found <policies>"},
    {"docs__AddPolicyGuide.md.embedded0.xml",
     "there is no policy 'your-policy'"},
    {"test__Test.Decompiling__TestData__invoke-darp-binding.xml",
     "did you mean 'invoke-dapr-binding'?"},
    {"test__Test.Decompiling__TestData__publish-to-darp.xml",
     "did you mean 'publish-to-dapr'?"},
    {"labs__ghcp-byok-foundry__entra-policy.xml",
     "the name `group` does not exist here (CS0103)"},
    {"samples__inference-failover__apim-policies__inference-api-policy-with-retry-tracked.xml",
     "expected a number, found 'RETRY_COUNT'"},
    {"samples__inference-failover__apim-policies__inference-api-policy.xml",
     "expected a number, found 'RETRY_COUNT'"},
    {"samples__load-balancing__apim-policies__aca-backend-pool-load-balancing-with-retry-tracked.xml",
     "\"double quotes\" (CS1012)"},
    {"docs__01-quickstart.md.embedded0.xml",
     "the value of attribute code is not quoted"},
    {"third_party__microsoft__policy-reference__cache-lookup-policy.md.embedded0.xml",
     "expected a number, found 'seconds'"},
    {"third_party__microsoft__policy-reference__set-backend-service-policy.md.embedded1.xml",
     "expected ')', found the end; the '('"},
    {"docs__ai-gateway.md.embedded12.xml",
     "there is no policy 'set-url'"},
    {"docs__troubleshooting.md.embedded2.xml",
     "`KeyValuePair<string, string[]>` has no member `Type` (CS1061)"},
    {"labs__lab-06-workspaces__README.md.embedded0.xml",
     "the value of attribute name is not quoted"},
    {"labs__lab-06-workspaces__README.md.embedded1.xml",
     "the value of attribute calls is not quoted"},
    {"labs__lab-06-workspaces__README.md.embedded2.xml",
     "the value of attribute calls is not quoted"},
};

static struct expr_env *env;
static uint32_t n_loaded, n_bad, n_failed;

/* What is said about a document that is wrong; NULL when it is not known as such. */
static const char *
wanted_message(const char *path)
{
    for (size_t i = 0; i < COUNTOF(known_bad); i++)
        if (str_ends_with(str_from_c(path), str_from_c(known_bad[i].file)))
            return known_bad[i].message;
    return NULL;
}

static void
load(const char *path)
{
    static const struct policy_names lone = {.is_lone = true};
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, 256 << 20);
    struct buf text AUTO(buf_destroy) = BUF_INIT;
    struct policy_document *d;
    struct source source;
    const char *wanted;
    struct diags diags;
    struct err err;

    diags_init(&diags, &arena);
    if (!file_read(path, 4 << 20, &text, &err)) {
        TEST_FAIL("%s", err.text);
        return;
    }
    source = (struct source){str_from_c(path), buf_str(&text)};
    d = policy_document_new(&(struct policy_input){.source = &source, .level = LEVEL_API, .env = env, .names = &lone}, &diags);
    wanted = wanted_message(path);
    if (d && !wanted)
        n_loaded++;
    else if (!d && wanted && str_find(diags_first_error(&diags, &arena), str_from_c(wanted), 0) >= 0)
        n_bad++;
    else if (n_failed++ < 20)
        TEST_FAIL("%s: %.*s, expected %s", path, STR_ARG(d ? STR("loads") : diags_first_error(&diags, &arena)), wanted ? wanted : "none");
    policy_document_unref(d);
}

static void
walk(const char *folder)
{
    DIR *dir = opendir(folder);
    char path[2048];

    for (struct dirent *e; dir && (e = readdir(dir));) {
        struct stat st;

        snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 || stat(path, &st))
            continue;
        if (S_ISDIR(st.st_mode))
            walk(path);
        else if (str_ends_with(str_from_c(path), STR(".xml")))
            load(path);
    }
    if (dir)
        closedir(dir);
}

TEST(every_document_of_the_corpus_compiles)
{
    struct err err;

    if (access(SOURCE_DIR "/../shared/corpus", R_OK) != 0) {
        printf("  corpus: skipped, there is no ../shared/corpus beside the project\n");
        return;
    }
    env = context_env_new(&err);
    if (!env) {
        TEST_FAIL("%s", err.text);
        return;
    }
    walk(SOURCE_DIR "/../shared/corpus/policies");
    walk(SOURCE_DIR "/../shared/corpus/articles");
    printf("  corpus: %u documents load, %u are wrong in the source and refused as such, %u fail\n", n_loaded, n_bad, n_failed);
    expr_env_delete(env);
}
