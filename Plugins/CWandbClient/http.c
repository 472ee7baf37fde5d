#include "espalier_http.h"

#include <curl/curl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The longest answer that is read; a server's are a few thousand bytes. */
#define LONGEST_ANSWER ((size_t)64 << 20)

struct espalier_http {
  CURL *curl;
  atomic_llong deadline_ms;
};

typedef struct transfer {
  espalier_http *http;
  const espalier_http_request *request;
  espalier_http_response *response;
  size_t sent;
} transfer;

static pthread_once_t initialized = PTHREAD_ONCE_INIT;
static void initialize(void) { curl_global_init(CURL_GLOBAL_DEFAULT); }

int64_t espalier_http_clock_ms(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

int64_t espalier_http_date(const char *text) { return curl_getdate(text, NULL); }

espalier_http *espalier_http_create(void) {
  pthread_once(&initialized, initialize);
  espalier_http *http = calloc(1, sizeof *http);
  if (!http) return NULL;
  atomic_init(&http->deadline_ms, INT64_MAX);
  http->curl = curl_easy_init();
  if (http->curl) return http;
  free(http);
  return NULL;
}

void espalier_http_destroy(espalier_http *http) {
  curl_easy_cleanup(http->curl);
  free(http);
}

void espalier_http_set_deadline(espalier_http *http, int64_t clock_ms) {
  atomic_store(&http->deadline_ms, clock_ms);
}

static size_t append(uint8_t **bytes, size_t *count, const char *data, size_t more) {
  if (more > LONGEST_ANSWER - *count) return 0;
  uint8_t *grown = realloc(*bytes, *count + more + 1);
  if (!grown) return 0;
  memcpy(grown + *count, data, more);
  *bytes = grown;
  *count += more;
  return more;
}

static size_t on_body(char *data, size_t size, size_t count, void *context) {
  espalier_http_response *response = ((transfer *)context)->response;
  return append(&response->body, &response->body_bytes, data, size * count);
}

static size_t on_header(char *data, size_t size, size_t count, void *context) {
  espalier_http_response *response = ((transfer *)context)->response;
  /* The first line of an answer; what came before was a 100 Continue or a proxy's. */
  if (size * count >= 5 && memcmp(data, "HTTP/", 5) == 0) response->header_bytes = 0;
  uint8_t *bytes = (uint8_t *)response->headers;
  const size_t added = append(&bytes, &response->header_bytes, data, size * count);
  response->headers = (char *)bytes;
  return added;
}

static size_t on_send(char *buffer, size_t size, size_t count, void *context) {
  transfer *t = context;
  const size_t left = t->request->body_bytes - t->sent;
  const size_t now = size * count < left ? size * count : left;
  if (now > 0) memcpy(buffer, t->request->body + t->sent, now);
  t->sent += now;
  return now;
}

/* A kept connection may turn out to be closed; the body is then sent again on a new one. */
static int on_rewind(void *context, curl_off_t offset, int origin) {
  transfer *t = context;
  if (origin != SEEK_SET || offset < 0 || (size_t)offset > t->request->body_bytes) {
    return CURL_SEEKFUNC_FAIL;
  }
  t->sent = (size_t)offset;
  return CURL_SEEKFUNC_OK;
}

static int on_progress(
  void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d
) {
  (void)a, (void)b, (void)c, (void)d;
  const transfer *t = context;
  return espalier_http_clock_ms() >= atomic_load(&t->http->deadline_ms);
}

static void set_body(CURL *curl, transfer *t) {
  const espalier_http_request *request = t->request;
  if (strcmp(request->method, "PUT") == 0) {
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)request->body_bytes);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_send);
    curl_easy_setopt(curl, CURLOPT_READDATA, t);
    curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, on_rewind);
    curl_easy_setopt(curl, CURLOPT_SEEKDATA, t);
  } else if (strcmp(request->method, "POST") == 0) {
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_bytes);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body ? (const char *)request->body : "");
  }
}

/* Private authorities, by the variables that OpenSSL, Python's requests and curl know. */
static void set_authorities(CURL *curl) {
  const char *const names[] = {"SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"};
  for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
    const char *file = getenv(names[k]);
    if (file && *file) {
      curl_easy_setopt(curl, CURLOPT_CAINFO, file);
      break;
    }
  }
  const char *folder = getenv("SSL_CERT_DIR");
  if (folder && *folder) curl_easy_setopt(curl, CURLOPT_CAPATH, folder);
}

static void set_options(CURL *curl, transfer *t) {
  const espalier_http_request *request = t->request;
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(curl, CURLOPT_URL, request->url);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, request->user_agent);
  if (request->user && request->password) {
    curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
    curl_easy_setopt(curl, CURLOPT_USERNAME, request->user);
    curl_easy_setopt(curl, CURLOPT_PASSWORD, request->password);
  }
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)request->connect_timeout_ms);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, t);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, t);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, t);
  set_authorities(curl);
  set_body(curl, t);
}

/* Null and 0 if there is no memory. */
static int header_list(const char *lines, struct curl_slist **list) {
  while (*lines) {
    const size_t length = strcspn(lines, "\n");
    char *line = strndup(lines, length);
    struct curl_slist *longer = line ? curl_slist_append(*list, line) : NULL;
    free(line);
    if (!longer) return 0;
    *list = longer;
    lines += length + (lines[length] == '\n');
  }
  return 1;
}

static void describe(espalier_http_response *response, const char *message) {
  strncpy(response->message, message, sizeof response->message - 1);
}

/* OpenSSL writes to sockets without MSG_NOSIGNAL, and libcurl leaves SIGPIPE to its caller. */
static CURLcode perform_without_sigpipe(CURL *curl) {
  sigset_t pipe, before, pending;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  sigpending(&pending);
  const int was_pending = sigismember(&pending, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, &before);
  const CURLcode code = curl_easy_perform(curl);
  if (!was_pending) {
    const struct timespec now = {0, 0};
    sigtimedwait(&pipe, NULL, &now);
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return code;
}

int32_t espalier_http_perform(
  espalier_http *http, const espalier_http_request *request, espalier_http_response *response
) {
  memset(response, 0, sizeof *response);
  CURL *curl = http->curl;
  transfer t = {.http = http, .request = request, .response = response};
  struct curl_slist *headers = NULL;
  char message[CURL_ERROR_SIZE] = "";
  CURLcode code = CURLE_OUT_OF_MEMORY;
  curl_easy_reset(curl);
  if (header_list(request->headers, &headers)) {
    set_options(curl, &t);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, message);
    code = perform_without_sigpipe(curl);
  }
  long status = 0;
  if (code == CURLE_OK) {
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  } else if (code == CURLE_ABORTED_BY_CALLBACK) {
    describe(response, "there was no more time");
  } else {
    describe(response, *message ? message : curl_easy_strerror(code));
  }
  response->status = status;
  /* Nothing that points into this call stays behind. */
  curl_easy_reset(curl);
  curl_slist_free_all(headers);
  return code == CURLE_OK;
}

void espalier_http_release(espalier_http_response *response) {
  free(response->body);
  free(response->headers);
  response->body = NULL;
  response->headers = NULL;
}
