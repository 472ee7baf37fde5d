#include "espalier_plugin_kit.h"

// Weak, so that programs without a plugin of their own (the tests of the kit) link, too.
extern void espalier_register_plugins(void) __attribute__((weak));

int32_t espalier_kit_call_registration(void) {
  if (!espalier_register_plugins) return 0;
  espalier_register_plugins();
  return 1;
}
