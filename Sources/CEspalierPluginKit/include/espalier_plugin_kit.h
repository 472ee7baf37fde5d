// The one function that a Swift plugin defines for the kit, which may be linked without it.
#ifndef ESPALIER_PLUGIN_KIT_H
#define ESPALIER_PLUGIN_KIT_H

#include <stdint.h>

/// Calls the plugin's `espalier_register_plugins`; 0 if the library has none. Hidden: each library calls its own.
__attribute__((visibility("hidden")))
int32_t espalier_kit_call_registration(void);

#endif
