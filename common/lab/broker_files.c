#include "common/lab/broker_files.h"

#include "common/buffer.h"
#include "common/config.h"
#include "common/directory.h"
#include "common/uuid.h"
#include "common/words.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE      4096
#define BEHIND_WRAPPER "/usr/lib/rabbitmq/bin/rabbitmq-server"
#define MEMORY_SHARE   40 /* percent of the machine's memory that all nodes together may use */
#define TAIL_BYTES     2000

/* Measured: spaces and letters of any language do no harm, a single quote does. */
static bool bears(const char *path)
{
    for (; *path != '\0'; path++) {
        bool letter = (unsigned char)*path >= 0x80 || (*path >= 'a' && *path <= 'z') ||
                      (*path >= 'A' && *path <= 'Z') || (*path >= '0' && *path <= '9');
        if (!letter && strchr(" ._/+,@=~-", *path) == NULL) {
            return false;
        }
    }
    return true;
}

int broker_choose_place(const char *directory, char *out, size_t size, struct error *error)
{
    if (directory[0] == '\0' || !bears(directory)) {
        snprintf(out, size, "%s/ordem-broker-", config_text("TMPDIR", "/tmp"));
        return 0;
    }
    snprintf(out, size, "%s/broker-", directory);
    return directory_make(directory, "--out", error);
}

int broker_find_program(char *out, size_t size, struct error *error)
{
    const char *path = getenv("PATH");

    snprintf(out, size, "%s", BEHIND_WRAPPER);
    if (access(out, X_OK) == 0) {
        return 0;
    }
    while (path != NULL && *path != '\0') {
        int length = (int)strcspn(path, ":");
        if (length > 0 && snprintf(out, size, "%.*s/rabbitmq-server", length, path) < (int)size &&
            access(out, X_OK) == 0) {
            return 0;
        }
        path += length + (path[length] == ':');
    }
    return error_set(
        error, ERROR_PROCESS,
        "RabbitMQ is not installed: apt-get install rabbitmq-server, or set AMQP_URL to a broker "
        "that runs already");
}

void broker_files_path(const struct broker_node *node, const char *name, char *out, size_t size)
{
    snprintf(out, size, "%s/node%u/%s", node->broker->scratch.path, node->number, name);
}

static int write_file(const char *path, mode_t mode, const struct buffer *content, struct error *error)
{
    int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

    if (descriptor < 0) {
        error_set(error, ERROR_FILE, "%.200s", path);
        error_because_errno(error, errno);
        return ERROR_FILE;
    }
    ssize_t written = content->length > 0 ? write(descriptor, content->bytes, content->length) : 0;
    int failed = written == (ssize_t)content->length ? 0 : errno;
    if (close(descriptor) != 0 || failed != 0) {
        error_set(error, ERROR_FILE, "%.200s", path);
        error_because_errno(error, failed != 0 ? failed : errno);
        return ERROR_FILE;
    }
    return 0;
}

/* A file right in the scratch folder. */
static int write_common(const struct broker *broker, const char *name, mode_t mode,
                        const struct buffer *content, struct error *error)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s/%s", broker->scratch.path, name);
    return write_file(path, mode, content, error);
}

static int write_node(const struct broker_node *node, struct error *error)
{
    const struct broker *broker = node->broker;
    struct buffer content = {0};
    char path[PATH_SIZE];

    broker_files_path(node, "", path, sizeof path);
    if (mkdir(path, 0700) != 0) {
        error_set(error, ERROR_FILE, "%.200s", path);
        error_because_errno(error, errno);
        return ERROR_FILE;
    }
    buffer_add_format(&content,
                      "listeners.tcp.1 = 127.0.0.1:%u\n"
                      "disk_free_limit.absolute = 64MB\n" /* a small disk is no alarm */
                      "vm_memory_high_watermark.relative = 0.%02u\n",
                      node->port, MEMORY_SHARE / broker->count);
    if (broker->count > 1) { /* all join the first, which is started before them */
        buffer_add_format(&content, "cluster_formation.peer_discovery_backend = classic_config\n"
                                    "cluster_formation.classic_config.nodes.1 = rabbit@127.0.0.1\n");
        if (node->number > 1) {
            buffer_add_format(&content, "cluster_formation.classic_config.nodes.2 = rabbit@127.0.0.%u\n",
                              node->number);
        }
    }
    broker_files_path(node, "rabbitmq.conf", path, sizeof path);
    int code = write_file(path, 0600, &content, error);
    buffer_free(&content);
    return code;
}

/* A word of a shell script. */
static void add_quoted(struct buffer *out, const char *word)
{
    buffer_add_char(out, '\'');
    for (; *word != '\0'; word++) {
        if (*word == '\'') {
            buffer_add_string(out, "'\\''");
        } else {
            buffer_add_char(out, *word);
        }
    }
    buffer_add_char(out, '\'');
}

static int write_control_script(const struct broker *broker, struct error *error)
{
    struct buffer script = {0};
    int folder = (int)(strrchr(broker->program, '/') - broker->program);
    char control[sizeof broker->program + 16];

    snprintf(control, sizeof control, "%.*s/rabbitmqctl", folder, broker->program);
    buffer_add_string(&script, "#!/bin/sh\nexport HOME=");
    add_quoted(&script, broker->scratch.path);
    buffer_add_format(&script,
                      "\nexport RABBITMQ_CONF_ENV_FILE=\"$HOME/none\" ERL_AFLAGS='-start_epmd false'\n"
                      "export RABBITMQ_CTL_ERL_ARGS='-erl_epmd_port %u -dist_listen false'\n"
                      "exec ",
                      broker->erlang_port);
    add_quoted(&script, control);
    buffer_add_string(&script, " -n \"${RABBITMQ_NODENAME:-rabbit@127.0.0.1}\" -l \"$@\"\n");
    int code = write_common(broker, "rabbitmqctl", 0700, &script, error);
    buffer_free(&script);
    return code;
}

int broker_files_write(const struct broker *broker, struct error *error)
{
    struct buffer content = {0};
    int code = 0;

    /* Whoever knows the cookie may run code in the nodes: new for each broker, and read by this user alone. */
    buffer_add_string(&content, uuid_new().text);
    code = write_common(broker, ".erlang.cookie", 0400, &content, error);
    buffer_clear(&content);
    if (code == 0) { /* in the place of the machine's own settings */
        code = write_common(broker, "none", 0600, &content, error);
    }
    buffer_add_string(&content, "[].\n");
    if (code == 0) {
        code = write_common(broker, "enabled_plugins", 0600, &content, error);
    }
    buffer_free(&content);
    for (unsigned i = 0; code == 0 && i < broker->count; i++) {
        code = write_node(&broker->nodes[i], error);
    }
    return code == 0 ? write_control_script(broker, error) : code;
}

void broker_files_environment(const struct broker_node *node, struct environment *environment)
{
    /* What the machine's own broker is told is not for this one. */
    static const char *const without[] = {"RABBITMQ_", "ERL_", "NOTIFY_SOCKET=", NULL};
    const char *scratch = node->broker->scratch.path;
    unsigned number = node->number;
    unsigned port = node->broker->erlang_port;

    environment_add(environment, "HOME=%s", scratch); /* where Erlang looks for the cookie */
    environment_add(environment, "ERL_CRASH_DUMP_SECONDS=0");
    environment_add(environment, "RABBITMQ_NODENAME=rabbit@127.0.0.%u", number);
    environment_add(environment, "RABBITMQ_USE_LONGNAME=true");
    environment_add(environment, "RABBITMQ_DIST_PORT=%u", port);
    environment_add(environment, "RABBITMQ_CONF_ENV_FILE=%s/none", scratch);
    environment_add(environment, "RABBITMQ_ENABLED_PLUGINS_FILE=%s/enabled_plugins", scratch);
    environment_add(environment, "RABBITMQ_CONFIG_FILE=%s/node%u/rabbitmq.conf", scratch, number);
    environment_add(environment, "RABBITMQ_ADVANCED_CONFIG_FILE=%s/node%u/advanced.config", scratch, number);
    environment_add(environment, "RABBITMQ_MNESIA_BASE=%s/node%u", scratch, number);
    environment_add(environment, "RABBITMQ_MNESIA_DIR=%s/node%u/data", scratch, number);
    environment_add(environment, "RABBITMQ_PID_FILE=%s/node%u/pid", scratch, number);
    environment_add(environment, "RABBITMQ_LOG_BASE=%s/node%u", scratch, number);
    environment_add(environment, "RABBITMQ_LOGS=%s/node%u/log", scratch, number);
    /* The script then becomes the server, instead of being its parent; -noinput makes good what else that changes. */
    environment_add(environment, "RABBITMQ_ALLOW_INPUT=1");
    environment_add(environment, "RABBITMQ_SCHEDULER_BIND_TYPE=u"); /* it shares the cores with many others */
    /* Named at once: it would start epmd else before it names itself. */
    environment_add(environment,
                    "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-noinput -name rabbit@127.0.0.%u -dist_listen true "
                    "-kernel inet_dist_use_interface {127,0,0,%u} "
                    "-kernel inet_dist_listen_min %u -kernel inet_dist_listen_max %u",
                    number, number, port, port);
    /* Also for the helper that a node of a cluster (since 3.12) starts to look at the others: it must neither start epmd
     * nor listen on the node's port. To say both true and false is to say true. */
    environment_add(environment, "ERL_ZFLAGS=-start_epmd false -erl_epmd_port %u -dist_listen false", port);
    environment_inherit(environment, without);
}

/* Removes what colours a terminal: ESC [ … letter. */
static void remove_colours(char *line)
{
    char *to = line;

    for (const char *from = line; *from != '\0';) {
        if (from[0] == '\x1b' && from[1] == '[') {
            from += 2 + strspn(from + 2, "0123456789;");
            from += *from != '\0';
        } else {
            *to++ = *from++;
        }
    }
    *to = '\0';
}

/* The last lines of a file, as far as they stand in its last bytes. */
static void print_tail(const char *path, FILE *out)
{
    char bytes[TAIL_BYTES + 1];
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);

    if (descriptor < 0) {
        return;
    }
    off_t end = lseek(descriptor, 0, SEEK_END);
    off_t start = end > TAIL_BYTES ? end - TAIL_BYTES : 0;
    ssize_t length = pread(descriptor, bytes, TAIL_BYTES, start);
    close(descriptor);
    if (length <= 0) {
        return;
    }
    bytes[length] = '\0';
    char *rest = bytes;
    if (start > 0) { /* not from the middle of a line */
        strsep(&rest, "\n");
    }
    for (char *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n")) {
        remove_colours(line);
        text_make_printable(line);
        if (line[strspn(line, " ")] != '\0') {
            fprintf(out, "  | %s\n", line);
        }
    }
}

void broker_print_log(const struct broker *broker, FILE *out)
{
    char path[PATH_SIZE];

    for (unsigned i = 0; i < broker->count; i++) {
        const struct broker_node *node = &broker->nodes[i];
        /* What one writes that is well says nothing. */
        if (node->started && node->state != BROKER_NODE_UP) {
            fprintf(out, _("RabbitMQ's last lines (node %u):\n"), node->number);
            broker_files_path(node, "log", path, sizeof path);
            print_tail(path, out);
            broker_files_path(node, "output", path, sizeof path);
            print_tail(path, out);
        }
    }
}
