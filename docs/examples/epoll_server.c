/* An echo server: one epoll loop, and one thread for the tasks of connections.
 *
 *   epoll_server IDENTITY PASSWORD TRUST
 *
 * Asks each client for a certificate that TRUST verifies, and refuses those with the common name "banned". Listens on a
 * port of its own choice, prints it, and ends with its standard input. */
#define _GNU_SOURCE
#include <brokertls.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HANDSHAKE_SECONDS = 10, DRAIN_SECONDS = 2, STEPS_A_TURN = 64 };

/*   HANDSHAKE ---> ECHO ---close_notify of the peer---> CLOSE ---sent---> GONE
 *       |           |                                     |               ^
 *       '-----------+-----------------error---------------+---> DRAIN ----'  at the end of the socket, or in time */
enum state { HANDSHAKE, ECHO, CLOSE, DRAIN, GONE };

struct client {
    btls_conn *conn;
    int fd;
    enum state state;
    int is_with_worker, is_due;
    time_t deadline; /* 0: none */
    /* Bytes that were read and are to be written. */
    char data[4096];
    size_t start, end;
    struct client *next, *next_task;
};

static struct client *clients;
static int epoll_fd, listen_fd, wake_fd;

/* Clients between the loop and the worker. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t has_task = PTHREAD_COND_INITIALIZER;
static struct client *tasks, *finished;
static int is_ending;

static void die(const char *what) {
    perror(what);
    exit(1);
}

static void report(const char *what, const btls_error *error) {
    printf("%s: %s: %s. %s\n", what, btls_error_name(error), btls_error_message(error), btls_error_hint(error));
    fflush(stdout);
}

static time_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec;
}

/* Refuses a client by its name. It stands for a question to a database, which may block. */
static btls_verify_decision verify(void *user, btls_verify_request *request) {
    const char *name = btls_certificate_common_name(btls_verify_request_certificate(request));
    (void)user;
    if (name != NULL && strcmp(name, "banned") != 0)
        return BTLS_VERIFY_ACCEPT;
    btls_verify_request_set_reason(request, "the common name is not allowed");
    return BTLS_VERIFY_REFUSE;
}

static btls_context *make_context(const char *identity, const char *password, const char *trust) {
    btls_context *context = NULL;
    btls_builder *builder = btls_builder_new();
    if (btls_builder_identity_file(builder, identity, NULL, NULL, password, NULL) ||
        btls_builder_trust_file(builder, trust, NULL) ||
        btls_builder_client_auth(builder, BTLS_CLIENT_AUTH_NEED) ||
        btls_builder_verify_callback(builder, verify, NULL, true) ||
        btls_builder_build(builder, &context)) {
        report("no context", btls_builder_error(builder));
        exit(1);
    }
    btls_builder_free(builder);
    return context;
}

/* Waits once for these events. A client that is not watched, or is with the worker, gives none. */
static void watch(struct client *client, uint32_t events) {
    struct epoll_event event = {0};
    event.events = events | EPOLLONESHOT;
    event.data.ptr = client;
    if (epoll_ctl(epoll_fd, EPOLL_CTL_MOD, client->fd, &event) != 0)
        die("epoll_ctl");
}

static void watch_always(int fd, void *data) {
    struct epoll_event event = {0};
    event.events = EPOLLIN;
    event.data.ptr = data;
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
        die("epoll_ctl");
}

/* Gives a client to the worker. The loop does not touch it until the worker has finished. */
static void give_to_worker(struct client *client) {
    client->is_with_worker = 1;
    pthread_mutex_lock(&lock);
    client->next_task = tasks;
    tasks = client;
    pthread_cond_signal(&has_task);
    pthread_mutex_unlock(&lock);
}

static void *run_tasks(void *unused) {
    const uint64_t one = 1;
    (void)unused;
    pthread_mutex_lock(&lock);
    for (;;) {
        struct client *client = tasks;
        if (is_ending)
            break;
        if (client == NULL) {
            pthread_cond_wait(&has_task, &lock);
            continue;
        }
        tasks = client->next_task;
        pthread_mutex_unlock(&lock);
        btls_conn_task_run(client->conn); /* its outcome comes from the next call on the connection */
        pthread_mutex_lock(&lock);
        client->next_task = finished;
        finished = client;
        if (write(wake_fd, &one, sizeof one) != sizeof one)
            die("eventfd");
    }
    pthread_mutex_unlock(&lock);
    return NULL;
}

/* Makes the next call of a client. BTLS_OK: there is another one to make. */
static btls_status step(struct client *client) {
    size_t count = 0;
    btls_status status = BTLS_OK;
    switch (client->state) {
    case HANDSHAKE:
        status = btls_conn_handshake(client->conn);
        if (status == BTLS_OK) {
            printf("%s is in\n", btls_certificate_subject(btls_conn_peer_certificate(client->conn)));
            fflush(stdout);
            client->state = ECHO;
            client->deadline = 0;
        }
        break;
    case ECHO:
        if (client->start == client->end) {
            status = btls_conn_read(client->conn, client->data, sizeof client->data, &count);
            client->start = 0;
            client->end = count;
            if (status == BTLS_CLOSED) {
                client->state = CLOSE;
                status = BTLS_OK;
            }
        } else {
            /* A count below the length needs no care: the next step offers the rest. BTLS_WANT_WRITE has the count 0,
             * so the next step offers the same bytes again, as it must. */
            status = btls_conn_write(client->conn, client->data + client->start, client->end - client->start, &count);
            client->start += count;
        }
        break;
    case CLOSE:
        status = btls_conn_close_write(client->conn);
        if (status == BTLS_OK)
            client->state = GONE;
        break;
    case DRAIN:
    case GONE:
        break;
    }
    return status;
}

/* Reads a socket to its end, so that closing it does not destroy an alert on its way to the peer. */
static void drain(struct client *client) {
    if (recv(client->fd, client->data, sizeof client->data, 0) == 0)
        client->state = GONE;
    else
        watch(client, EPOLLIN);
}

/* Continues with a client as far as it can without waiting, then waits for what the last status asks for. */
static void advance(struct client *client) {
    btls_status status = BTLS_OK;
    size_t pending = 0;
    int steps;
    if (client->state == DRAIN) {
        drain(client);
        return;
    }
    for (steps = 0; status == BTLS_OK && client->state != GONE && steps < STEPS_A_TURN; steps++)
        status = step(client);
    if (client->state == GONE)
        return;
    if (status == BTLS_WANT_TASK) {
        give_to_worker(client);
    } else if (status >= 100) {
        report(client->state == HANDSHAKE ? "refused" : "lost", btls_conn_error(client->conn));
        shutdown(client->fd, SHUT_WR);
        client->state = DRAIN;
        client->deadline = now() + DRAIN_SECONDS;
        watch(client, EPOLLIN);
    } else if (status == BTLS_OK ||
               (status == BTLS_WANT_READ && btls_conn_pending(client->conn, &pending) == BTLS_OK && pending > 0)) {
        client->is_due = 1; /* there is more to do now; other clients come first */
    } else {
        uint32_t events = status == BTLS_WANT_WRITE ? EPOLLOUT : EPOLLIN;
        watch(client, btls_conn_wants_write(client->conn) ? events | EPOLLOUT : events);
    }
}

static void accept_client(btls_context *context) {
    struct epoll_event event = {0};
    struct client *client = calloc(1, sizeof *client);
    int at_once = 1, fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK);
    if (fd < 0 || client == NULL || btls_conn_new_server(context, NULL, &client->conn, NULL) != BTLS_OK ||
        btls_conn_set_fd(client->conn, fd, fd) != BTLS_OK) {
        if (client != NULL)
            btls_conn_free(client->conn);
        if (fd >= 0)
            close(fd);
        free(client);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
    client->fd = fd;
    client->deadline = now() + HANDSHAKE_SECONDS;
    client->next = clients;
    clients = client;
    event.events = EPOLLONESHOT;
    event.data.ptr = client;
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
        die("epoll_ctl");
    advance(client);
}

/* Continues with the clients of which the worker has run the task. */
static void take_finished(void) {
    struct client *client;
    uint64_t count;
    if (read(wake_fd, &count, sizeof count) != sizeof count)
        return;
    pthread_mutex_lock(&lock);
    client = finished;
    finished = NULL;
    pthread_mutex_unlock(&lock);
    while (client != NULL) {
        struct client *next = client->next_task;
        client->is_with_worker = 0;
        client->is_due = 1;
        client = next;
    }
}

/* Continues with clients that are due, and frees those that are gone or late. Returns 1 if some are due again. */
static int sweep(int all) {
    struct client **link = &clients;
    int is_due = 0;
    while (*link != NULL) {
        struct client *client = *link;
        if (client->is_due && !all) {
            client->is_due = 0;
            advance(client);
        }
        if (!client->is_with_worker && client->deadline != 0 && now() >= client->deadline)
            client->state = GONE;
        if (client->state == GONE || all) {
            *link = client->next;
            btls_conn_free(client->conn);
            close(client->fd);
            free(client);
        } else {
            is_due |= client->is_due;
            link = &client->next;
        }
    }
    return is_due;
}

static void serve(btls_context *context) {
    struct epoll_event events[64];
    int is_due = 0, count, index;
    for (;;) {
        count = epoll_wait(epoll_fd, events, 64, is_due ? 0 : 1000);
        for (index = 0; index < count; index++) {
            void *data = events[index].data.ptr;
            if (data == &is_ending)
                return;
            if (data == &listen_fd)
                accept_client(context);
            else if (data == &wake_fd)
                take_finished();
            else
                advance(data);
        }
        is_due = sweep(0);
    }
}

static void start_listening(void) {
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (listen_fd < 0 || bind(listen_fd, (struct sockaddr *)&address, length) != 0 || listen(listen_fd, 64) != 0 ||
        getsockname(listen_fd, (struct sockaddr *)&address, &length) != 0)
        die("listen");
    printf("port %d\n", ntohs(address.sin_port));
    fflush(stdout);
}

int main(int count, char **arguments) {
    btls_context *context;
    pthread_t worker;
    if (count != 4) {
        fprintf(stderr, "usage: epoll_server IDENTITY PASSWORD TRUST\n");
        return 2;
    }
    context = make_context(arguments[1], arguments[2], arguments[3]);
    epoll_fd = epoll_create1(0);
    wake_fd = eventfd(0, EFD_NONBLOCK);
    if (epoll_fd < 0 || wake_fd < 0 || pthread_create(&worker, NULL, run_tasks, NULL) != 0)
        die("start");
    start_listening();
    watch_always(listen_fd, &listen_fd);
    watch_always(wake_fd, &wake_fd);
    watch_always(STDIN_FILENO, &is_ending);
    serve(context);

    pthread_mutex_lock(&lock);
    is_ending = 1;
    pthread_cond_signal(&has_task);
    pthread_mutex_unlock(&lock);
    pthread_join(worker, NULL);
    sweep(1);
    btls_context_free(context);
    close(listen_fd);
    close(wake_fd);
    close(epoll_fd);
    return 0;
}
