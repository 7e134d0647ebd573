/* Status codes of HTTP (RFC 9110, section 15) that this house uses. */
#ifndef ORDEM_HTTP_STATUS_H
#define ORDEM_HTTP_STATUS_H

#define HTTP_STATUSES(X)                                                                                     \
    X(HTTP_OK, 200, "OK")                                                                                    \
    X(HTTP_ACCEPTED, 202, "Accepted")                                                                        \
    X(HTTP_NO_CONTENT, 204, "No Content")                                                                    \
    X(HTTP_TEMPORARY_REDIRECT, 307, "Temporary Redirect")                                                    \
    X(HTTP_BAD_REQUEST, 400, "Bad Request")                                                                  \
    X(HTTP_UNAUTHORIZED, 401, "Unauthorized")                                                                \
    X(HTTP_FORBIDDEN, 403, "Forbidden")                                                                      \
    X(HTTP_NOT_FOUND, 404, "Not Found")                                                                      \
    X(HTTP_METHOD_NOT_ALLOWED, 405, "Method Not Allowed")                                                    \
    X(HTTP_REQUEST_TIMEOUT, 408, "Request Timeout")                                                          \
    X(HTTP_CONFLICT, 409, "Conflict")                                                                        \
    X(HTTP_GONE, 410, "Gone")                                                                                \
    X(HTTP_CONTENT_TOO_LARGE, 413, "Content Too Large")                                                      \
    X(HTTP_URI_TOO_LONG, 414, "URI Too Long")                                                                \
    X(HTTP_UNPROCESSABLE, 422, "Unprocessable Content")                                                      \
    X(HTTP_TOO_MANY_REQUESTS, 429, "Too Many Requests")                                                      \
    X(HTTP_HEADERS_TOO_LARGE, 431, "Request Header Fields Too Large")                                        \
    X(HTTP_SERVER_ERROR, 500, "Internal Server Error")                                                       \
    X(HTTP_UNAVAILABLE, 503, "Service Unavailable")                                                          \
    X(HTTP_GATEWAY_TIMEOUT, 504, "Gateway Timeout")                                                          \
    X(HTTP_INSUFFICIENT_STORAGE, 507, "Insufficient Storage")

enum http_status {
#define X(name, code, phrase) name = (code),
    HTTP_STATUSES(X)
#undef X
};

/* "Not Found" for 404; "" for one that stands not in the list. */
const char *http_status_phrase(enum http_status status);

#endif
