// What another library links to; with ENTRY it defines the entry symbol in its place.
#include <espalier_plugin.h>

int gone(void) { return 0; }

#ifdef ENTRY
int32_t espalier_plugin_entry(const esp_host *host, uint32_t index, const esp_plugin **out, esp_error *error) {
  (void)host, (void)index, (void)out;
  return esp_fail(error, ESP_NOT_FOUND, "never called");
}
#endif
