// libmosquitto, on one thread.
#include <mosquitto.h>
#include "end.h"

static int connected, subscribed;
static long sent, finished;

static void publish(struct mosquitto *client) {
  int code = mosquitto_publish(client, NULL, TOPIC, size, payload, qos, false);
  if (code) die("publish", code);
  sent++;
}

static void on_connect(struct mosquitto *client, void *unused, int code) {
  if (code) die("connect", code);
  connected = 1;
}

static void on_subscribe(struct mosquitto *client, void *unused, int id, int n, const int *granted) { subscribed = 1; }

// From within a callback messages are only queued, so this does not go deeper.
static void on_publish(struct mosquitto *client, void *unused, int id) {
  if (!is("out")) return;
  finished++;
  while (sent < count && sent - finished < WINDOW) publish(client);
}

static void on_message(struct mosquitto *client, void *unused, const struct mosquitto_message *message) {
  finished++;
  if (is("ping")) {
    end_trip();
    if (finished < count) {
      begin_trip();
      publish(client);
    }
  }
}

static void loop(struct mosquitto *client) {
  int code = mosquitto_loop(client, -1, 1);
  if (code) die("loop", code);
}

int main(int argc, char **argv) {
  read_job(argc, argv);
  mosquitto_lib_init();
  struct mosquitto *client = mosquitto_new(client_id, true, NULL);
  mosquitto_int_option(client, MOSQ_OPT_TCP_NODELAY, 1);
  mosquitto_max_inflight_messages_set(client, WINDOW);
  mosquitto_connect_callback_set(client, on_connect);
  mosquitto_subscribe_callback_set(client, on_subscribe);
  mosquitto_publish_callback_set(client, on_publish);
  mosquitto_message_callback_set(client, on_message);
  int code = mosquitto_connect(client, "127.0.0.1", port, 60);
  if (code) die("connect", code);
  while (!connected) loop(client);
  if (!is("out")) {
    mosquitto_subscribe(client, NULL, TOPIC, qos);
    while (!subscribed) loop(client);
  }
  ready();
  if (is("ping")) {
    begin_trip();
    publish(client);
  } else if (is("out")) {
    while (sent < count && sent - finished < WINDOW) publish(client);
  }
  while (finished < count) loop(client);
  done();
  return 0;
}
