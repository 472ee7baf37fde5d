/* HTTP requests one after the other on a kept connection, by libcurl. For the thread of one client; only
 * espalier_http_set_deadline may be called from others. */
#ifndef ESPALIER_HTTP_H
#define ESPALIER_HTTP_H

#include <stddef.h>
#include <stdint.h>

#if defined(__clang__)
#pragma clang assume_nonnull begin
#define ESPALIER_NULLABLE _Nullable
#else
#define ESPALIER_NULLABLE
#endif

#define ESPALIER_HTTP_MESSAGE_SIZE 256

typedef struct espalier_http espalier_http;

typedef struct espalier_http_request {
  const char *method; /* GET, POST or PUT */
  const char *url;    /* http or https; redirects are not followed */
  /* Lines "Name: value", each with a line feed at its end. "Name:" removes a header that libcurl would add. */
  const char *headers;
  /* HTTP Basic; null: no credentials. */
  const char *ESPALIER_NULLABLE user;
  const char *ESPALIER_NULLABLE password;
  /* Sent with its length, never in chunks. */
  const uint8_t *ESPALIER_NULLABLE body;
  size_t body_bytes;
  const char *user_agent;
  int64_t connect_timeout_ms;
  int64_t timeout_ms; /* of the whole request */
} espalier_http_request;

/* Release it with espalier_http_release whatever the function returned. */
typedef struct espalier_http_response {
  int64_t status; /* 0 if there was no answer */
  uint8_t *ESPALIER_NULLABLE body;
  size_t body_bytes;
  char *ESPALIER_NULLABLE headers; /* of the last answer: lines as they came; not ended by a zero byte */
  size_t header_bytes;
  char message[ESPALIER_HTTP_MESSAGE_SIZE]; /* why there was no answer */
} espalier_http_response;

/* Null if there is no memory. */
espalier_http *ESPALIER_NULLABLE espalier_http_create(void);
void espalier_http_destroy(espalier_http *http);

/* Returns 1 for an answer of whatever status, else 0 and a message without credentials. */
int32_t espalier_http_perform(
  espalier_http *http, const espalier_http_request *request, espalier_http_response *response);
void espalier_http_release(espalier_http_response *response);

/* Requests end with an error at this time of espalier_http_clock_ms, also one that is under way. */
void espalier_http_set_deadline(espalier_http *http, int64_t clock_ms);

/* Milliseconds of a clock that is never set. */
int64_t espalier_http_clock_ms(void);

/* Seconds since 1970 of a date as HTTP writes it, "Sun, 06 Nov 1994 08:49:37 GMT"; -1 for what is none. */
int64_t espalier_http_date(const char *text);

#if defined(__clang__)
#pragma clang assume_nonnull end
#endif

#endif
