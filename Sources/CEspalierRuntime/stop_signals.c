/* SIGINT and SIGTERM as counts that a loop can read. */
#include <signal.h>
#include <stdatomic.h>

#include "espalier_runtime.h"

static atomic_int count;
static atomic_int last;

static void note(int signal) {
  atomic_store(&last, signal);
  if (atomic_fetch_add(&count, 1) >= 1) espalier_cancel(1);
}

void espalier_catch_stop_signals(void) {
  struct sigaction action = {0};
  action.sa_handler = note;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
}

int32_t espalier_stop_signals(void) { return atomic_load(&count); }
int32_t espalier_last_stop_signal(void) { return atomic_load(&last); }
