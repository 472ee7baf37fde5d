/* The files of the presets, taken into the program when it is compiled.
 *
 * `sdxl-base-1.0` has its files in this folder, `mini` those of the demo's base model. */
#include "espalier_presets.h"

#pragma clang diagnostic ignored "-Wc23-extensions" /* #embed */

/* The tokenizers of one model share vocabulary and merges, so each is held once. */

static const unsigned char sdxl_model_index[] = {
#embed "sdxl-base-1.0/model_index.json"
};
static const unsigned char sdxl_scheduler_config[] = {
#embed "sdxl-base-1.0/scheduler/scheduler_config.json"
};
static const unsigned char sdxl_text_encoder_config[] = {
#embed "sdxl-base-1.0/text_encoder/config.json"
};
static const unsigned char sdxl_text_encoder_2_config[] = {
#embed "sdxl-base-1.0/text_encoder_2/config.json"
};
static const unsigned char sdxl_tokenizer_merges[] = {
#embed "sdxl-base-1.0/tokenizer/merges.txt"
};
static const unsigned char sdxl_tokenizer_special_tokens_map[] = {
#embed "sdxl-base-1.0/tokenizer/special_tokens_map.json"
};
static const unsigned char sdxl_tokenizer_tokenizer_config[] = {
#embed "sdxl-base-1.0/tokenizer/tokenizer_config.json"
};
static const unsigned char sdxl_tokenizer_vocab[] = {
#embed "sdxl-base-1.0/tokenizer/vocab.json"
};
static const unsigned char sdxl_tokenizer_2_special_tokens_map[] = {
#embed "sdxl-base-1.0/tokenizer_2/special_tokens_map.json"
};
static const unsigned char sdxl_tokenizer_2_tokenizer_config[] = {
#embed "sdxl-base-1.0/tokenizer_2/tokenizer_config.json"
};
static const unsigned char sdxl_unet_config[] = {
#embed "sdxl-base-1.0/unet/config.json"
};
static const unsigned char sdxl_vae_config[] = {
#embed "sdxl-base-1.0/vae/config.json"
};
static const unsigned char mini_model_index[] = {
#embed "../EspalierDemo/BaseModel/model_index.json"
};
static const unsigned char mini_scheduler_config[] = {
#embed "../EspalierDemo/BaseModel/scheduler/scheduler_config.json"
};
static const unsigned char mini_text_encoder_config[] = {
#embed "../EspalierDemo/BaseModel/text_encoder/config.json"
};
static const unsigned char mini_text_encoder_2_config[] = {
#embed "../EspalierDemo/BaseModel/text_encoder_2/config.json"
};
static const unsigned char mini_tokenizer_merges[] = {
#embed "../EspalierDemo/BaseModel/tokenizer/merges.txt"
};
static const unsigned char mini_tokenizer_special_tokens_map[] = {
#embed "../EspalierDemo/BaseModel/tokenizer/special_tokens_map.json"
};
static const unsigned char mini_tokenizer_tokenizer_config[] = {
#embed "../EspalierDemo/BaseModel/tokenizer/tokenizer_config.json"
};
static const unsigned char mini_tokenizer_vocab[] = {
#embed "../EspalierDemo/BaseModel/tokenizer/vocab.json"
};
static const unsigned char mini_tokenizer_2_special_tokens_map[] = {
#embed "../EspalierDemo/BaseModel/tokenizer_2/special_tokens_map.json"
};
static const unsigned char mini_tokenizer_2_tokenizer_config[] = {
#embed "../EspalierDemo/BaseModel/tokenizer_2/tokenizer_config.json"
};
static const unsigned char mini_unet_config[] = {
#embed "../EspalierDemo/BaseModel/unet/config.json"
};
static const unsigned char mini_vae_config[] = {
#embed "../EspalierDemo/BaseModel/vae/config.json"
};

#define FILE_OF(path, bytes) {path, bytes, sizeof bytes}

static const espalier_preset_file sdxl_files[] = {
  FILE_OF("model_index.json", sdxl_model_index),
  FILE_OF("scheduler/scheduler_config.json", sdxl_scheduler_config),
  FILE_OF("text_encoder/config.json", sdxl_text_encoder_config),
  FILE_OF("text_encoder_2/config.json", sdxl_text_encoder_2_config),
  FILE_OF("tokenizer/merges.txt", sdxl_tokenizer_merges),
  FILE_OF("tokenizer/special_tokens_map.json", sdxl_tokenizer_special_tokens_map),
  FILE_OF("tokenizer/tokenizer_config.json", sdxl_tokenizer_tokenizer_config),
  FILE_OF("tokenizer/vocab.json", sdxl_tokenizer_vocab),
  FILE_OF("tokenizer_2/merges.txt", sdxl_tokenizer_merges),
  FILE_OF("tokenizer_2/special_tokens_map.json", sdxl_tokenizer_2_special_tokens_map),
  FILE_OF("tokenizer_2/tokenizer_config.json", sdxl_tokenizer_2_tokenizer_config),
  FILE_OF("tokenizer_2/vocab.json", sdxl_tokenizer_vocab),
  FILE_OF("unet/config.json", sdxl_unet_config),
  FILE_OF("vae/config.json", sdxl_vae_config),
};

static const espalier_preset_file mini_files[] = {
  FILE_OF("model_index.json", mini_model_index),
  FILE_OF("scheduler/scheduler_config.json", mini_scheduler_config),
  FILE_OF("text_encoder/config.json", mini_text_encoder_config),
  FILE_OF("text_encoder_2/config.json", mini_text_encoder_2_config),
  FILE_OF("tokenizer/merges.txt", mini_tokenizer_merges),
  FILE_OF("tokenizer/special_tokens_map.json", mini_tokenizer_special_tokens_map),
  FILE_OF("tokenizer/tokenizer_config.json", mini_tokenizer_tokenizer_config),
  FILE_OF("tokenizer/vocab.json", mini_tokenizer_vocab),
  FILE_OF("tokenizer_2/merges.txt", mini_tokenizer_merges),
  FILE_OF("tokenizer_2/special_tokens_map.json", mini_tokenizer_2_special_tokens_map),
  FILE_OF("tokenizer_2/tokenizer_config.json", mini_tokenizer_2_tokenizer_config),
  FILE_OF("tokenizer_2/vocab.json", mini_tokenizer_vocab),
  FILE_OF("unet/config.json", mini_unet_config),
  FILE_OF("vae/config.json", mini_vae_config),
};

#define PRESET(name, files) {name, files, sizeof files / sizeof files[0]}

static const espalier_preset presets[] = {
  PRESET("sdxl-base-1.0", sdxl_files),
  PRESET("mini", mini_files),
};

size_t espalier_preset_count(void) { return sizeof presets / sizeof presets[0]; }

const espalier_preset *espalier_preset_at(size_t index) { return &presets[index]; }
