/* A client that speaks MQTT 3.1.1 with any broker, on a blocking socket.
 *
 *   mqtt PORT IDENTITY TRUST PASSWORD subscribe TOPIC
 *   mqtt PORT IDENTITY TRUST PASSWORD publish TOPIC TEXT
 *
 * "subscribe" ends with the first message, and "publish" with the acknowledgement of the broker. IDENTITY and TRUST are
 * keystores or PEM files. A failure is printed with its reason and gives exit code 1, and so does half a minute of
 * silence. */
#define _GNU_SOURCE
#include <brokertls.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PACKET_BYTES = 64 * 1024, SILENCE_S = 30 };

/* The first bytes of packets: type and flags (MQTT 3.1.1, 2.2). Messages go out with quality of service 1. */
enum { CONNECT = 0x10, CONNACK = 0x20, PUBLISH = 0x30, PUBLISH_ONCE_AT_LEAST = 0x32, PUBACK = 0x40 };
enum { SUBSCRIBE = 0x82, SUBACK = 0x90, DISCONNECT = 0xe0 };

/* What follows the first byte and the length. */
struct packet {
    uint8_t type;
    size_t length;
    uint8_t body[PACKET_BYTES];
};

static btls_conn *conn;

static void fail(const char *what, const btls_error *error) {
    printf("%s: %s (%d): %s. %s\n", what, btls_error_name(error), (int)btls_error_code(error),
           btls_error_message(error), btls_error_hint(error));
    exit(1);
}

static void fail_plainly(const char *what) {
    printf("failed: %s\n", what);
    exit(1);
}

/* Runs the task that a call asked for, e.g. a verification that may wait. True if that call must be made again. */
static int runs_task(btls_status status) {
    return status == BTLS_WANT_TASK && btls_conn_task_run(conn) == BTLS_OK;
}

/* For a socket that waits, anything but success is the end. */
static void must(btls_status status) {
    if (status == BTLS_WANT_READ || status == BTLS_WANT_WRITE)
        fail_plainly("the broker is silent");
    if (status == BTLS_CLOSED)
        fail_plainly("the broker has closed the connection");
    if (status != BTLS_OK)
        fail("failed", btls_conn_error(conn));
}

static btls_context *make_context(char **arguments) {
    btls_context *context = NULL;
    btls_builder *builder = btls_builder_new();
    btls_status status = btls_builder_identity_file(builder, arguments[2], NULL, NULL, arguments[4], NULL);
    if (status == BTLS_OK)
        status = btls_builder_trust_file(builder, arguments[3], arguments[4]);
    if (status == BTLS_OK)
        status = btls_builder_build(builder, &context);
    if (status != BTLS_OK)
        fail("cannot start", btls_builder_error(builder));
    btls_builder_free(builder);
    return context;
}

static int connect_to(uint16_t port) {
    struct timeval silence = {SILENCE_S, 0};
    struct sockaddr_in address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &silence, sizeof silence) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &silence, sizeof silence) != 0 ||
        connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        perror("connect");
        exit(1);
    }
    return fd;
}

static void put_number(struct packet *packet, unsigned number) {
    packet->body[packet->length++] = (uint8_t)(number >> 8);
    packet->body[packet->length++] = (uint8_t)number;
}

static void put_bytes(struct packet *packet, const char *bytes, size_t length) {
    if (length > sizeof packet->body - packet->length)
        fail_plainly("what is to be sent is too long");
    memcpy(packet->body + packet->length, bytes, length);
    packet->length += length;
}

/* A string with its length before it (1.5.3). */
static void put_string(struct packet *packet, const char *text) {
    if (strlen(text) > 1024)
        fail_plainly("what is to be sent is too long");
    put_number(packet, (unsigned)strlen(text));
    put_bytes(packet, text, strlen(text));
}

static void send_bytes(const uint8_t *bytes, size_t length) {
    while (length > 0) {
        size_t count = 0;
        btls_status status = btls_conn_write(conn, bytes, length, &count);
        if (!runs_task(status))
            must(status);
        bytes += count;
        length -= count;
    }
}

/* The length goes before the body, seven bits a byte, the lowest first (2.2.3). */
static void send_packet(const struct packet *packet) {
    uint8_t header[5] = {packet->type};
    size_t count = 1, left = packet->length;
    do {
        header[count] = (uint8_t)(left & 0x7f);
        left >>= 7;
        header[count++] |= left > 0 ? 0x80 : 0;
    } while (left > 0);
    send_bytes(header, count);
    send_bytes(packet->body, packet->length);
}

static void read_bytes(uint8_t *bytes, size_t length) {
    while (length > 0) {
        size_t count = 0;
        btls_status status = btls_conn_read(conn, bytes, length, &count);
        if (!runs_task(status))
            must(status);
        bytes += count;
        length -= count;
    }
}

/* Reads the next packet, which must have this type. */
static void read_packet(struct packet *packet, uint8_t type, size_t least) {
    uint8_t digit = 0x80;
    read_bytes(&packet->type, 1);
    packet->length = 0;
    for (int shift = 0; (digit & 0x80) != 0; shift += 7) {
        if (shift > 21)
            fail_plainly("the broker sent a length that MQTT does not have");
        read_bytes(&digit, 1);
        packet->length |= (size_t)(digit & 0x7f) << shift;
    }
    if ((packet->type & 0xf0) != type || packet->length < least || packet->length > sizeof packet->body)
        fail_plainly("the broker sent something else than was asked for");
    read_bytes(packet->body, packet->length);
}

/* A clean session, kept alive for a minute, under a name of our own (3.1). */
static void open_session(struct packet *packet) {
    static const char protocol_and_flags[] = {0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 60};
    char name[24];
    snprintf(name, sizeof name, "c-%d", (int)getpid());
    packet->type = CONNECT;
    packet->length = 0;
    put_bytes(packet, protocol_and_flags, sizeof protocol_and_flags);
    put_string(packet, name);
    send_packet(packet);
    read_packet(packet, CONNACK, 2);
    if (packet->body[1] != 0)
        fail_plainly("the broker does not let the client in");
}

static void subscribe(struct packet *packet, const char *topic) {
    packet->type = SUBSCRIBE;
    packet->length = 0;
    put_number(packet, 1);
    put_string(packet, topic);
    put_bytes(packet, "", 1);
    send_packet(packet);
    read_packet(packet, SUBACK, 3);
    if (packet->body[2] != 0)
        fail_plainly("the broker refuses the subscription");
    printf("subscribed to %s\n", topic);
    fflush(stdout);
    read_packet(packet, PUBLISH, 2);
    size_t start = 2 + ((size_t)packet->body[0] << 8 | packet->body[1]);
    if (start > packet->length)
        fail_plainly("the broker sent a topic longer than its packet");
    printf("received: %.*s\n", (int)(packet->length - start), (char *)packet->body + start);
}

static void publish(struct packet *packet, const char *topic, const char *text) {
    packet->type = PUBLISH_ONCE_AT_LEAST;
    packet->length = 0;
    put_string(packet, topic);
    put_number(packet, 1);
    put_bytes(packet, text, strlen(text));
    send_packet(packet);
    read_packet(packet, PUBACK, 2);
    printf("published to %s\n", topic);
}

int main(int count, char **arguments) {
    static struct packet packet;
    int subscribes = count == 7 && strcmp(arguments[5], "subscribe") == 0;
    if (!subscribes && !(count == 8 && strcmp(arguments[5], "publish") == 0)) {
        fprintf(stderr, "usage: mqtt PORT IDENTITY TRUST PASSWORD subscribe TOPIC | publish TOPIC TEXT\n");
        return 2;
    }
    btls_context *context = make_context(arguments);
    int fd = connect_to((uint16_t)atoi(arguments[1]));
    must(btls_conn_new_client(context, "localhost", NULL, &conn, NULL));
    must(btls_conn_set_fd(conn, fd, fd));
    btls_status status = btls_conn_handshake(conn);
    while (runs_task(status))
        status = btls_conn_handshake(conn);
    must(status);
    printf("connected to %s with %s, %s\n", btls_certificate_subject(btls_conn_peer_certificate(conn)),
           btls_conn_version(conn), btls_conn_cipher_suite(conn));
    open_session(&packet);
    if (subscribes)
        subscribe(&packet, arguments[6]);
    else
        publish(&packet, arguments[6], arguments[7]);
    packet.type = DISCONNECT;
    packet.length = 0;
    send_packet(&packet);
    /* Not waited for: to MQTT the DISCONNECT is the end, and the broker may have gone already. */
    btls_conn_close_write(conn);
    btls_conn_free(conn);
    btls_context_free(context);
    close(fd);
    return 0;
}
