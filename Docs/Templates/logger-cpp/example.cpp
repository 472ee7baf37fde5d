// A metric logger for Espalier: one line for each value, `step <tab> name <tab> value`, and validation pictures as PPM.
#include "espalier_plugin.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string>

namespace {

// ---- What a user may set with --logger_option example.KEY=VALUE. Never a secret: options are shown and logged. ----

const esp_option_description file_option = {
  sizeof file_option, ESP_OPTION_STRING, "file", "Name of the file in the run's folder", "example.tsv", nullptr};
const esp_option_description pictures_option = {
  sizeof pictures_option, ESP_OPTION_BOOL, "pictures", "Keep validation pictures", "true", nullptr};
const esp_option_description *const options[] = {&file_option, &pictures_option};

// ---- The run comes as JSON; these read a text and a whole number of it. ------------------------------------------

// What follows `"key":`, or null. A logger that needs more of the JSON is better off with a library.
const char *value_of(const std::string &json, const std::string &key) {
  size_t place = json.find("\"" + key + "\"");
  if (place == std::string::npos) return nullptr;
  place = json.find_first_not_of(" :", place + key.size() + 2);
  return place == std::string::npos ? nullptr : json.c_str() + place;
}

void append_utf8(std::string &text, unsigned long scalar) {
  if (scalar < 0x80) {
    text += char(scalar);
    return;
  }
  const int more = scalar < 0x800 ? 1 : scalar < 0x10000 ? 2 : 3;
  text += char((0xFF00 >> (more + 1) & 0xFF) | scalar >> 6 * more);
  for (int k = more - 1; k >= 0; k--) text += char(0x80 | (scalar >> 6 * k & 0x3F));
}

std::string text_of(const std::string &json, const std::string &key, const std::string &fallback) {
  const char *place = value_of(json, key);
  if (!place || *place != '"') return fallback;
  std::string text;
  for (place++; *place && *place != '"'; place++) {
    if (*place != '\\') {
      text += *place;
    } else if (*++place == 'u') {
      unsigned long unit = std::strtoul(std::string(place + 1, 4).c_str(), nullptr, 16);
      place += 4;
      if (unit >= 0xD800 && unit < 0xDC00 && place[1] == '\\' && place[2] == 'u') {  // a pair for one character
        unit = 0x10000 + ((unit - 0xD800) << 10) + std::strtoul(std::string(place + 3, 4).c_str(), nullptr, 16) - 0xDC00;
        place += 6;
      }
      append_utf8(text, unit);
    } else {
      const char *from = "bfnrt", *to = "\b\f\n\r\t";
      const std::string letters(from);
      const size_t index = letters.find(*place);
      text += index == std::string::npos ? *place : to[index];
    }
  }
  return text;
}

// ---- The logger. ---------------------------------------------------------------------------------------------------

class ExampleLogger {
 public:
  explicit ExampleLogger(const std::string &run) {
    directory_ = text_of(run, "directory", "");
    if (directory_.empty()) throw std::runtime_error("example: the run has no directory");
    const char *pictures = value_of(run, "pictures");
    keeps_pictures_ = !pictures || *pictures != 'f';
    path_ = directory_ + "/" + text_of(run, "file", file_option.default_value);
    // A resumed run repeats the steps after its last state: what an earlier part wrote of them goes.
    const char *resume = value_of(run, "resume_step");
    const std::string kept = resume ? lines_until(std::atoll(resume)) : "";
    file_.open(path_, std::ios::trunc);
    write(kept);
  }

  void scalars(int64_t step, const char *const *names, const double *values, size_t count) {
    std::string lines;
    for (size_t k = 0; k < count; k++) {
      char number[32];
      std::snprintf(number, sizeof number, "%.9g", values[k]);
      lines += std::to_string(step) + "\t" + names[k] + "\t" + number + "\n";
    }
    write(lines);
  }

  void images(int64_t step, const std::string &tag, const esp_image *images, size_t count) {
    if (!keeps_pictures_) return;
    for (size_t k = 0; k < count; k++) {
      std::string name = tag + "-" + std::to_string(step) + "-" + std::to_string(k) + ".ppm";
      for (char &letter : name) {
        if (letter == '/') letter = '-';
      }
      std::ofstream picture(directory_ + "/" + name, std::ios::binary | std::ios::trunc);
      picture << "P6 " << images[k].width << " " << images[k].height << " 255\n";
      picture.write(
        reinterpret_cast<const char *>(images[k].rgb), std::streamsize(3) * images[k].width * images[k].height);
      if (!picture.flush()) throw std::runtime_error("example: cannot write " + directory_ + "/" + name);
    }
  }

 private:
  std::string lines_until(long long last_step) const {
    std::ifstream old(path_);
    std::string kept;
    for (std::string line; std::getline(old, line);) {
      if (std::atoll(line.c_str()) <= last_step) kept += line + "\n";
    }
    return kept;
  }

  // Handed to the system at once, so that a crash loses nothing.
  void write(const std::string &lines) {
    file_ << lines << std::flush;
    if (!file_) throw std::runtime_error("example: cannot write " + path_);
  }

  std::string directory_, path_;
  bool keeps_pictures_ = true;
  std::ofstream file_;
};

// ---- The boundary: no exception may cross it. ----------------------------------------------------------------------

template <class Body>
int32_t guarded(esp_error *error, Body body) {
  try {
    body();
    return ESP_OK;
  } catch (const std::bad_alloc &) {
    return esp_fail(error, ESP_OUT_OF_MEMORY, "example: no memory");
  } catch (const std::exception &failure) {
    return esp_fail(error, ESP_IO, failure.what());
  } catch (...) {
    return esp_fail(error, ESP_INTERNAL, "example: an unknown failure");
  }
}

ExampleLogger &logger_of(esp_logger *logger) { return *reinterpret_cast<ExampleLogger *>(logger); }

int32_t open_run(const char *run, esp_logger **out, esp_error *error) {
  return guarded(error, [&] { *out = reinterpret_cast<esp_logger *>(new ExampleLogger(run)); });
}

int32_t scalars(esp_logger *logger, int64_t step, const char *const *names, const double *values, size_t count,
                esp_error *error) {
  return guarded(error, [&] { logger_of(logger).scalars(step, names, values, count); });
}

int32_t images(esp_logger *logger, int64_t step, const char *tag, const esp_image *images, size_t count,
               esp_error *error) {
  return guarded(error, [&] { logger_of(logger).images(step, tag, images, count); });
}

int32_t close_run(esp_logger *logger, esp_error *) {
  delete &logger_of(logger);
  return ESP_OK;
}

// Functions that are not set here are null: not offered.
esp_logger_api make_api() {
  esp_logger_api api{};
  api.struct_size = sizeof api;
  api.open = open_run;
  api.scalars = scalars;
  api.images = images;
  api.close = close_run;
  return api;
}

const esp_logger_api api = make_api();

esp_plugin make_plugin() {
  esp_plugin plugin{};
  plugin.struct_size = sizeof plugin;
  plugin.abi_major = ESP_ABI_MAJOR;
  plugin.abi_minor = ESP_ABI_MINOR;
  plugin.kind = ESP_KIND_LOGGER;
  plugin.name = "example";  // as in the file name
  plugin.version = "0.1.0";
  plugin.summary = "Values as lines of text, pictures as PPM files";
  plugin.api = &api;
  plugin.options = options;
  plugin.option_count = sizeof options / sizeof *options;
  return plugin;
}

const esp_plugin plugin = make_plugin();

}  // namespace

// extern "C" by the header.
int32_t espalier_plugin_entry(const esp_host *host, uint32_t index, const esp_plugin **out, esp_error *error) {
  if (host->abi_major != ESP_ABI_MAJOR) return esp_fail(error, ESP_VERSION, "example: built for plugin boundary 1");
  if (index > 0) return esp_fail(error, ESP_NOT_FOUND, "no more plugins");
  *out = &plugin;
  return ESP_OK;
}
