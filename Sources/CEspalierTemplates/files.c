/* Embeds the templates of plugins. A new file is three lines and an entry in the table. */
#include "espalier_templates.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const char plugin_header[] = {
#embed "../EspalierABI/include/espalier_plugin.h" suffix(, 0)
};
static const char backend_c_readme[] = {
#embed "../../Docs/Templates/backend-c/README.md" suffix(, 0)
};
static const char backend_c_source[] = {
#embed "../../Docs/Templates/backend-c/example.c" suffix(, 0)
};
static const char logger_cpp_readme[] = {
#embed "../../Docs/Templates/logger-cpp/README.md" suffix(, 0)
};
static const char logger_cpp_source[] = {
#embed "../../Docs/Templates/logger-cpp/example.cpp" suffix(, 0)
};
static const char scheduler_c_readme[] = {
#embed "../../Docs/Templates/scheduler-c/README.md" suffix(, 0)
};
static const char scheduler_c_source[] = {
#embed "../../Docs/Templates/scheduler-c/example.c" suffix(, 0)
};
static const char scheduler_swift_package[] = {
#embed "../../Docs/Templates/scheduler-swift/Package.swift" suffix(, 0)
};
static const char scheduler_swift_readme[] = {
#embed "../../Docs/Templates/scheduler-swift/README.md" suffix(, 0)
};
static const char scheduler_swift_source[] = {
#embed "../../Docs/Templates/scheduler-swift/Sources/Example/ExampleScheduler.swift" suffix(, 0)
};

static const espalier_template_file files[] = {
  {"espalier_plugin.h", plugin_header},
  {"backend-c/README.md", backend_c_readme},
  {"backend-c/example.c", backend_c_source},
  {"logger-cpp/README.md", logger_cpp_readme},
  {"logger-cpp/example.cpp", logger_cpp_source},
  {"scheduler-c/README.md", scheduler_c_readme},
  {"scheduler-c/example.c", scheduler_c_source},
  {"scheduler-swift/Package.swift", scheduler_swift_package},
  {"scheduler-swift/README.md", scheduler_swift_readme},
  {"scheduler-swift/Sources/Example/ExampleScheduler.swift", scheduler_swift_source},
};

const espalier_template_file *espalier_template_file_at(size_t index) {
  return index < sizeof files / sizeof *files ? &files[index] : NULL;
}
