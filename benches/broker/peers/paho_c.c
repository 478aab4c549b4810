// paho's C client with callbacks, MQTTAsync. It has threads of its own.
#include <MQTTAsync.h>
#include <semaphore.h>
#include <stdatomic.h>
#include "end.h"

static MQTTAsync client;
static sem_t step;
// Callbacks come from either of two threads, under locks of the library's: so no lock here.
static atomic_long sent, finished;

static void on_success(void *unused, MQTTAsync_successData *data) { sem_post(&step); }

static void on_failure(void *unused, MQTTAsync_failureData *data) { die("failure", data ? data->code : 0); }

static void on_lost(void *unused, char *cause) { die("lost", 0); }

static void fill(void);

static void on_published(void *unused, MQTTAsync_successData *data) {
  if (atomic_fetch_add(&finished, 1) + 1 == count) sem_post(&step);
  fill();
}

static void publish(MQTTAsync_onSuccess *then) {
  MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;
  options.onSuccess = then;
  options.onFailure = on_failure;
  int code = MQTTAsync_send(client, TOPIC, size, payload, qos, 0, &options);
  if (code) die("publish", code);
}

static void fill(void) {
  for (;;) {
    long number = atomic_load(&sent);
    if (number == count || number - atomic_load(&finished) >= WINDOW) return;
    if (atomic_compare_exchange_weak(&sent, &number, number + 1)) publish(on_published);
  }
}

static int on_message(void *unused, char *topic, int len, MQTTAsync_message *message) {
  MQTTAsync_freeMessage(&message);
  MQTTAsync_free(topic);
  long number = atomic_fetch_add(&finished, 1) + 1;
  if (is("ping")) {
    end_trip();
    if (number < count) {
      begin_trip();
      publish(NULL);
    }
  }
  if (number == count) sem_post(&step);
  return 1;
}

int main(int argc, char **argv) {
  read_job(argc, argv);
  sem_init(&step, 0, 0);
  char uri[40];
  snprintf(uri, sizeof uri, "tcp://127.0.0.1:%d", port);
  int code = MQTTAsync_create(&client, uri, client_id, MQTTCLIENT_PERSISTENCE_NONE, NULL);
  if (code) die("create", code);
  MQTTAsync_setCallbacks(client, NULL, on_lost, on_message, NULL);
  MQTTAsync_connectOptions options = MQTTAsync_connectOptions_initializer;
  options.keepAliveInterval = 60;
  options.cleansession = 1;
  options.maxInflight = WINDOW;
  options.onSuccess = on_success;
  options.onFailure = on_failure;
  code = MQTTAsync_connect(client, &options);
  if (code) die("connect", code);
  sem_wait(&step);
  if (!is("out")) {
    MQTTAsync_responseOptions subscribing = MQTTAsync_responseOptions_initializer;
    subscribing.onSuccess = on_success;
    subscribing.onFailure = on_failure;
    MQTTAsync_subscribe(client, TOPIC, qos, &subscribing);
    sem_wait(&step);
  }
  ready();
  if (is("ping")) {
    begin_trip();
    publish(NULL);
  } else if (is("out")) {
    fill();
  }
  sem_wait(&step);
  done();
  return 0;
}
