/* Model folders without weights that the program carries: configurations and tokenizers. */
#ifndef ESPALIER_PRESETS_H
#define ESPALIER_PRESETS_H

#include <stddef.h>

/* A file of a preset; `path` is relative to the model folder. */
typedef struct {
  const char *_Nonnull path;
  const unsigned char *_Nonnull bytes;
  size_t count;
} espalier_preset_file;

typedef struct {
  const char *_Nonnull name;
  const espalier_preset_file *_Nonnull files;
  size_t file_count;
} espalier_preset;

size_t espalier_preset_count(void);

/* `index` is below espalier_preset_count(); the memory is never freed. */
const espalier_preset *_Nonnull espalier_preset_at(size_t index);

#endif
