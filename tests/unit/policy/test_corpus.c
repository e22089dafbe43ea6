/* Every document of the corpus and the articles compiles, alone and with real expressions, but for those named here. */
#include "policy/plan.h"

#include <dirent.h>
#include <sys/stat.h>

#include "base/file.h"
#include "exchange/context_families.h"
#include "expr/program.h"
#include "test.h"

/* The error is theirs: quotes pasted or escaped wrong, words in place of numbers, members and types that no gateway has,
 * names that only a tool knows. */
static const char *const known_bad[] = {
    "Snippets__Call_out_to_an_HTTP_endpoint_and_cache_the_response.policy.xml.removed.xml",
    "Snippets__Filter_response_content_based_on_product_name.policy.xml.removed.xml",
    "examples__Call_out_to_an_HTTP_endpoint_and_cache_the_response.policy.xml",
    "examples__DELETE_a_from_to_blobStorage_account.xml",
    "examples__GET_a_file_from_blobStorage_account.xml",
    "examples__Get_OAuth2_access_token_from_AAD_using_client_id_and_certificate_using_key_vault_manage_identity.xml",
    "examples__Loopback_request_for_service_at_same_API_Management_service.xml",
    "examples__Loopback_request_for_service_at_same_apim.xml.removed.xml",
    "examples__PUT_a_file_to_blobStorage_account.xml",
    "examples__Pre-authorize_requests_based_on_HTTP_method_with_validate-jwt.policy.xml",
    "examples__Return_a_blob_URL_signed_with_a_user_delegation_SAS_token.xml",
    "apim-lab__4-policy-expressions__policy-expressions-4-3-transformation.md.embedded0.xml",
    "docs__AddPolicyGuide.md.embedded0.xml",
    "test__Test.Decompiling__TestData__invoke-darp-binding.xml",
    "test__Test.Decompiling__TestData__publish-to-darp.xml",
    "labs__ghcp-byok-foundry__entra-policy.xml",
    "samples__inference-failover__apim-policies__inference-api-policy-with-retry-tracked.xml",
    "samples__inference-failover__apim-policies__inference-api-policy.xml",
    "samples__load-balancing__apim-policies__aca-backend-pool-load-balancing-with-retry-tracked.xml",
    "docs__01-quickstart.md.embedded0.xml",
    "third_party__microsoft__policy-reference__cache-lookup-policy.md.embedded0.xml",
    "third_party__microsoft__policy-reference__set-backend-service-policy.md.embedded1.xml",
    "docs__ai-gateway.md.embedded12.xml",
    "docs__troubleshooting.md.embedded2.xml",
    "labs__lab-06-workspaces__README.md.embedded0.xml",
    "labs__lab-06-workspaces__README.md.embedded1.xml",
    "labs__lab-06-workspaces__README.md.embedded2.xml",
};

/* They need types or syntax that expressions do not have yet. */
static const char *const later[] = {
    "examples__Authenticate_using_Managed_Identity_to_access_Storage_Account.xml",
    "examples__Extract_value_from_XML.xml",
    "labs__model-context-protocol__src__github__apim-api__operation-policy.xml.removed.xml",
    "labs__model-context-protocol__src__github__apim-api__policy.xml",
    "labs__model-context-protocol__src__github__apim-api__token-policy.xml.removed.xml",
    "labs__model-context-protocol__src__servicenow__apim-api__operation-policy.xml",
    "labs__realtime-mcp-agents__src__spotify__apim-api__policy.xml",
    "samples__oauth-3rd-party__apim-policies__spotify_api.xml",
};

static struct expr_env *env;
static uint32_t n_loaded, n_bad, n_later, n_failed;

static bool
is_listed(const char *const *list, size_t n, const char *path)
{
    for (size_t i = 0; i < n; i++)
        if (str_ends_with(str_from_c(path), str_from_c(list[i])))
            return true;
    return false;
}

static void
load(const char *path)
{
    static const struct policy_names lone = {.is_lone = true};
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, 256 << 20);
    struct buf text AUTO(buf_destroy) = BUF_INIT;
    struct policy_document *d;
    struct source source;
    struct diags diags;
    struct err err;

    diags_init(&diags, &arena);
    if (!file_read(path, 4 << 20, &text, &err)) {
        TEST_FAIL("%s", err.text);
        return;
    }
    source = (struct source){str_from_c(path), buf_str(&text)};
    d = policy_document_new(&(struct policy_input){.source = &source, .level = LEVEL_API, .env = env, .names = &lone}, &diags);
    if (d)
        n_loaded++;
    else if (is_listed(known_bad, COUNTOF(known_bad), path))
        n_bad++;
    else if (is_listed(later, COUNTOF(later), path))
        n_later++;
    else if (n_failed++ < 20)
        TEST_FAIL("%.*s", STR_ARG(diags_first_error(&diags, &arena)));
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

    env = context_env_new(&err);
    if (!env) {
        TEST_FAIL("%s", err.text);
        return;
    }
    walk(SOURCE_DIR "/../shared/corpus/policies");
    walk(SOURCE_DIR "/../shared/corpus/articles");
    printf("  corpus: %u documents load, %u are wrong in the source, %u need what is not built yet\n", n_loaded, n_bad, n_later);
    expr_env_delete(env);
}
