/* A small broker: one epoll loop, two listeners, each with a context of its own.
 *
 *   broker IDENTITY_STORE TRUST_STORE PASSWORD
 *
 * The listener "public" accepts all clients; "devices" requires TLS 1.3 and a trusted certificate. They share topics.
 * Clients send lines: SUB topic, PUB topic text, QUIT; other lines are echoed. The broker prints the accepted
 * and the refused clients, and ends with its standard input. */
#define _GNU_SOURCE
#include <brokertls.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LINE_BYTES = 512, WAITING_BYTES = 64 * 1024 };

enum kind { INPUT, LISTENER, CLIENT };

struct listener {
    enum kind kind;
    const char *name;
    int fd;
    btls_context *context;
};

struct client {
    enum kind kind;
    struct listener *listener;
    int fd;
    btls_conn *conn;
    int is_in, is_leaving, is_gone;
    char line[LINE_BYTES];
    size_t line_length;
    /* What could not be sent yet. */
    char *waiting;
    size_t waiting_length;
    char topic[64];
    struct client *next;
};

static struct client *clients;
static int loop_fd;

static void die(const char *what) {
    perror(what);
    exit(1);
}

/* What the operator reads where something is refused. */
static void report(const char *who, const char *what, const btls_error *error) {
    printf("[%s] %s: %s (%d): %s. %s\n", who, what, btls_error_name(error), (int)btls_error_code(error),
           btls_error_message(error), btls_error_hint(error));
    fflush(stdout);
}

/* A function that sets what is special about a listener. */
typedef btls_status (*configure)(btls_builder *builder, const char *trust_store, const char *password);

static btls_status for_everybody(btls_builder *builder, const char *trust_store, const char *password) {
    (void)trust_store;
    (void)password;
    return btls_builder_versions(builder, "TLSv1.2,TLSv1.3");
}

static btls_status for_devices(btls_builder *builder, const char *trust_store, const char *password) {
    btls_status status = btls_builder_preset(builder, "modern");
    if (status == BTLS_OK)
        status = btls_builder_trust_file(builder, trust_store, password);
    if (status == BTLS_OK)
        status = btls_builder_client_auth(builder, BTLS_CLIENT_AUTH_NEED);
    return status;
}

static btls_context *make_context(const char *name, configure configure, char **arguments) {
    btls_context *context = NULL;
    btls_builder *builder = btls_builder_new();
    btls_status status = btls_builder_identity_file(builder, arguments[1], NULL, NULL, arguments[3], NULL);
    if (status == BTLS_OK)
        status = configure(builder, arguments[2], arguments[3]);
    if (status == BTLS_OK)
        status = btls_builder_build(builder, &context);
    if (status != BTLS_OK) {
        report(name, "cannot listen", btls_builder_error(builder));
        exit(1);
    }
    btls_builder_free(builder);
    return context;
}

static void watch(int fd, void *whom, uint32_t events, int operation) {
    struct epoll_event event = {0};
    event.events = events;
    event.data.ptr = whom;
    if (epoll_ctl(loop_fd, operation, fd, &event) != 0)
        die("epoll_ctl");
}

/* Listens on a port that the system chooses, and tells which. */
static void open_listener(struct listener *listener, const char *name, btls_context *context) {
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener->kind = LISTENER;
    listener->name = name;
    listener->context = context;
    listener->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (listener->fd < 0 || bind(listener->fd, (struct sockaddr *)&address, length) != 0 ||
        listen(listener->fd, 64) != 0 ||
        getsockname(listener->fd, (struct sockaddr *)&address, &length) != 0)
        die("listen");
    watch(listener->fd, listener, EPOLLIN, EPOLL_CTL_ADD);
    printf("[%s] listens on port %d\n", name, ntohs(address.sin_port));
}

static void accept_client(struct listener *listener) {
    int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK), at_once = 1;
    if (fd < 0)
        return;
    /* Small packets do not wait for those before them to be acknowledged. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
    struct client *client = (struct client *)calloc(1, sizeof *client);
    if (client == NULL || btls_conn_new_server(listener->context, NULL, &client->conn, NULL) != BTLS_OK ||
        btls_conn_set_fd(client->conn, fd, fd) != BTLS_OK) {
        if (client != NULL)
            btls_conn_free(client->conn);
        free(client);
        close(fd);
        return;
    }
    client->kind = CLIENT;
    client->listener = listener;
    client->fd = fd;
    client->next = clients;
    clients = client;
    watch(fd, client, EPOLLIN, EPOLL_CTL_ADD);
}

static const char *name_of(const struct client *client) {
    const char *subject = btls_certificate_subject(btls_conn_peer_certificate(client->conn));
    return subject != NULL ? subject : "a client without a certificate";
}

/* Prints why a client is dropped. The loop frees it when no event of it is left. */
static void drop(struct client *client, btls_status status) {
    if (client->is_gone)
        return;
    client->is_gone = 1;
    if (status >= 100)
        report(client->listener->name, client->is_in ? "lost" : "refused", btls_conn_error(client->conn));
    else if (client->is_in)
        printf("[%s] %s has left\n", client->listener->name, name_of(client));
    fflush(stdout);
}

/* Sends what waits, as far as the socket takes it. */
static void send_waiting(struct client *client) {
    size_t written = 0;
    while (!client->is_gone && client->waiting_length > 0) {
        btls_status status = btls_conn_write(client->conn, client->waiting, client->waiting_length, &written);
        if (status == BTLS_WANT_WRITE)
            return;
        if (status != BTLS_OK) {
            drop(client, status);
            return;
        }
        memmove(client->waiting, client->waiting + written, client->waiting_length - written);
        client->waiting_length -= written;
    }
    free(client->waiting);
    client->waiting = NULL;
}

/* Sends a line, or keeps it for later; a client that does not read is let go. */
static void send_line(struct client *client, const char *line, size_t length) {
    if (client->is_gone)
        return;
    char *waiting = client->waiting;
    if (client->waiting_length + length + 1 > WAITING_BYTES ||
        (waiting = (char *)realloc(waiting, client->waiting_length + length + 1)) == NULL) {
        drop(client, BTLS_OK);
        return;
    }
    memcpy(waiting + client->waiting_length, line, length);
    waiting[client->waiting_length + length] = '\n';
    client->waiting = waiting;
    client->waiting_length += length + 1;
    send_waiting(client);
    if (!client->is_gone && client->waiting_length > 0)
        watch(client->fd, client, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
}

static void publish(const char *line) {
    char topic[64] = "";
    sscanf(line, "%63s", topic);
    for (struct client *client = clients; client != NULL; client = client->next) {
        if (strcmp(client->topic, topic) == 0)
            send_line(client, line, strlen(line));
    }
}

static void take_line(struct client *client, char *line) {
    if (strncmp(line, "SUB ", 4) == 0) {
        snprintf(client->topic, sizeof client->topic, "%.63s", line + 4);
        printf("[%s] %s listens to %s\n", client->listener->name, name_of(client), client->topic);
        fflush(stdout);
    } else if (strncmp(line, "PUB ", 4) == 0) {
        publish(line + 4);
    } else if (strcmp(line, "QUIT") == 0) {
        client->is_leaving = 1;
    } else {
        send_line(client, line, strlen(line));
    }
}

/* Takes the whole lines of what has been read. */
static void take_lines(struct client *client) {
    char *end;
    while (!client->is_gone && (end = (char *)memchr(client->line, '\n', client->line_length)) != NULL) {
        *end = '\0';
        take_line(client, client->line);
        client->line_length -= (size_t)(end + 1 - client->line);
        memmove(client->line, end + 1, client->line_length);
    }
}

/* Reads until there is nothing more: what has been received already does not make the socket readable again. */
static btls_status read_lines(struct client *client) {
    while (!client->is_gone && !client->is_leaving) {
        size_t count = 0, room = sizeof client->line - client->line_length;
        if (room == 0)
            return BTLS_CLOSED;
        btls_status status = btls_conn_read(client->conn, client->line + client->line_length, room, &count);
        if (status != BTLS_OK)
            return status;
        client->line_length += count;
        take_lines(client);
    }
    return BTLS_CLOSED;
}

/* The next step of the handshake. If its contexts ask databases or fetch lists, a broker gives the task to another
 * thread, and leaves the connection alone until that has run it. */
static btls_status shake_hands(struct client *client) {
    btls_status status = btls_conn_handshake(client->conn);
    while (status == BTLS_WANT_TASK) {
        btls_conn_task_run(client->conn);
        status = btls_conn_handshake(client->conn);
    }
    return status;
}

/* Continues with a client as far as it can without waiting. */
static void serve(struct client *client) {
    if (client->is_gone)
        return;
    btls_status status = BTLS_OK;
    if (!client->is_in) {
        status = shake_hands(client);
        if (status == BTLS_OK) {
            client->is_in = 1;
            printf("[%s] %s has come with %s, %s, %s\n", client->listener->name, name_of(client),
                   btls_conn_version(client->conn), btls_conn_cipher_suite(client->conn),
                   btls_conn_group(client->conn));
            fflush(stdout);
        }
    }
    if (status == BTLS_OK) {
        send_waiting(client);
        status = read_lines(client);
    }
    if (client->is_gone)
        return;
    if (status == BTLS_CLOSED || status >= 100) {
        if (status == BTLS_CLOSED)
            btls_conn_close_write(client->conn);
        drop(client, status);
        return;
    }
    int writes = status == BTLS_WANT_WRITE || client->waiting_length > 0 || btls_conn_wants_write(client->conn);
    watch(client->fd, client, EPOLLIN | (writes ? EPOLLOUT : 0), EPOLL_CTL_MOD);
}

/* Frees the clients that are gone, or all. */
static void sweep(int all) {
    struct client **link = &clients;
    while (*link != NULL) {
        struct client *client = *link;
        if (!client->is_gone && !all) {
            link = &client->next;
            continue;
        }
        *link = client->next;
        btls_conn_free(client->conn);
        close(client->fd);
        free(client->waiting);
        free(client);
    }
}

/* Serves until the standard input ends. */
static void run(void) {
    struct epoll_event events[32];
    for (;;) {
        int count = epoll_wait(loop_fd, events, 32, -1);
        for (int index = 0; index < count; index++) {
            enum kind *kind = (enum kind *)events[index].data.ptr;
            if (*kind == INPUT)
                return;
            if (*kind == LISTENER)
                accept_client((struct listener *)events[index].data.ptr);
            else
                serve((struct client *)events[index].data.ptr);
        }
        sweep(0);
    }
}

int main(int count, char **arguments) {
    static enum kind input = INPUT;
    struct listener everybody, devices;
    if (count != 4) {
        fprintf(stderr, "usage: broker IDENTITY_STORE TRUST_STORE PASSWORD\n");
        return 2;
    }
    loop_fd = epoll_create1(0);
    if (loop_fd < 0)
        die("epoll_create1");
    watch(STDIN_FILENO, &input, EPOLLIN, EPOLL_CTL_ADD);
    open_listener(&everybody, "public", make_context("public", for_everybody, arguments));
    open_listener(&devices, "devices", make_context("devices", for_devices, arguments));
    fflush(stdout);
    run();
    sweep(1);
    btls_context_free(everybody.context);
    btls_context_free(devices.context);
    close(everybody.fd);
    close(devices.fd);
    close(loop_fd);
    return 0;
}
