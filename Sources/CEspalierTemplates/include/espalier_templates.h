// The files of Docs/Templates and the boundary header, inside the program.
#ifndef ESPALIER_TEMPLATES_H
#define ESPALIER_TEMPLATES_H

#include <stddef.h>

typedef struct espalier_template_file {
  /// Relative to Docs/Templates; the header: espalier_plugin.h.
  const char *_Nonnull path;
  /// UTF-8, zero-terminated.
  const char *_Nonnull text;
} espalier_template_file;

/// The file with this index, or null past the last one.
const espalier_template_file *_Nullable espalier_template_file_at(size_t index);

#endif
