// The header from C++: objects that free themselves, and two sides that talk.
#include "harness.h"

#include <brokertls_convert.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>

namespace {

struct Free {
    void operator()(btls_builder *builder) const { btls_builder_free(builder); }
    void operator()(btls_context *context) const { btls_context_free(context); }
    void operator()(btls_conn *conn) const { btls_conn_free(conn); }
};

using Builder = std::unique_ptr<btls_builder, Free>;
using Context = std::unique_ptr<btls_context, Free>;
using Conn = std::unique_ptr<btls_conn, Free>;

class Refused : public std::runtime_error {
public:
    explicit Refused(const btls_error *error)
        : std::runtime_error(std::string(btls_error_name(error)) + ": " + btls_error_message(error)),
          status(btls_error_code(error)) {}
    btls_status status;
};

Context make_context(const Builder &builder) {
    btls_context *context = nullptr;
    if (btls_builder_build(builder.get(), &context) != BTLS_OK)
        throw Refused(btls_builder_error(builder.get()));
    return Context(context);
}

void error_becomes_an_exception_with_its_text() {
    Builder builder(btls_builder_new());
    try {
        if (btls_builder_trust_file(builder.get(), "/nonexistent", nullptr) != BTLS_OK)
            throw Refused(btls_builder_error(builder.get()));
        CHECK(false);
    } catch (const Refused &refused) {
        CHECK(refused.status == BTLS_FILE_UNREADABLE);
        CHECK_HOLDS(refused.what(), "BTLS_FILE_UNREADABLE: ");
        CHECK_HOLDS(refused.what(), "/nonexistent");
    }
}

// In C++ a choice is an enum of its own: a number does not become one by itself.
void choice_is_an_enum_of_32_bits() {
    static_assert(sizeof(btls_client_auth) == 4 && std::is_enum<btls_client_auth>::value, "a named type");
    static_assert(!std::is_convertible<int, btls_client_auth>::value, "a number is no choice");
    btls_conn_options *options = btls_conn_options_new();
    CHECK_STATUS(btls_conn_options_client_auth(options, static_cast<btls_client_auth>(9)), BTLS_INVALID_ARGUMENT);
    CHECK_STATUS(btls_conn_options_client_auth(options, BTLS_CLIENT_AUTH_WANT), BTLS_OK);
    btls_conn_options_free(options);
    btls_verify_fn function = [](void *, btls_verify_request *) { return BTLS_VERIFY_ACCEPT; };
    CHECK(function(nullptr, nullptr) == BTLS_VERIFY_ACCEPT);
}

void two_sides_talk() {
    Builder server_builder(builder_with("server", nullptr)), client_builder(builder_with(nullptr, "ca.pem"));
    Context server = make_context(server_builder), client = make_context(client_builder);
    struct pair pair = connected(server.get(), client.get());
    Conn client_conn(pair.client), server_conn(pair.server);
    pair.client = pair.server = nullptr;
    write_all(client_conn.get(), "from C++", 8);
    read_all(server_conn.get(), "from C++", 8);
    CHECK(std::string(btls_conn_version(client_conn.get())) == "TLSv1.3");
    client_conn.reset();
    server_conn.reset();
    close_pair(&pair);
}

} // namespace

int main() {
    RUN(error_becomes_an_exception_with_its_text);
    RUN(choice_is_an_enum_of_32_bits);
    RUN(two_sides_talk);
    return 0;
}
