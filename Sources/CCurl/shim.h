#pragma once
#include <curl/curl.h>

// Swift sees no variadic functions: one function for each type of argument.

static inline CURLcode sl_curl_set_long(CURL *call, CURLoption option, long value) {
  return curl_easy_setopt(call, option, value);
}

static inline CURLcode sl_curl_set_size(CURL *call, CURLoption option, curl_off_t value) {
  return curl_easy_setopt(call, option, value);
}

static inline CURLcode sl_curl_set_text(CURL *call, CURLoption option, const char *value) {
  return curl_easy_setopt(call, option, value);
}

// `POSTFIELDS` points to bytes that may hold zeros; they are copied after the size is known.
static inline CURLcode sl_curl_set_body(CURL *call, const void *bytes, curl_off_t count) {
  CURLcode code = curl_easy_setopt(call, CURLOPT_POSTFIELDSIZE_LARGE, count);
  return code == CURLE_OK ? curl_easy_setopt(call, CURLOPT_COPYPOSTFIELDS, bytes) : code;
}

static inline CURLcode sl_curl_set_list(CURL *call, CURLoption option, struct curl_slist *list) {
  return curl_easy_setopt(call, option, list);
}

typedef size_t (*sl_curl_transfer)(char *bytes, size_t size, size_t count, void *context);

// `function` and `data` are a pair such as CURLOPT_WRITEFUNCTION and CURLOPT_WRITEDATA.
static inline CURLcode sl_curl_set_transfer(
    CURL *call, CURLoption function, sl_curl_transfer value, CURLoption data, void *context) {
  CURLcode code = curl_easy_setopt(call, function, value);
  return code == CURLE_OK ? curl_easy_setopt(call, data, context) : code;
}

static inline long sl_curl_response_code(CURL *call) {
  long value = 0;
  curl_easy_getinfo(call, CURLINFO_RESPONSE_CODE, &value);
  return value;
}

static inline CURLMcode sl_curl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
  return curl_multi_setopt(multi, option, value);
}

// The next call that has ended, with its result; null when there is none.
static inline CURL *sl_curl_multi_next_ended(CURLM *multi, CURLcode *result) {
  int left = 0;
  CURLMsg *message;
  while ((message = curl_multi_info_read(multi, &left))) {
    if (message->msg == CURLMSG_DONE) {
      *result = message->data.result;
      return message->easy_handle;
    }
  }
  return NULL;
}
