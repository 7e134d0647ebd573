#include "paxos/client_page.h"

/* page.S */
extern const char client_page_html_bytes[], client_page_style_bytes[], client_page_script_bytes[];
extern const uint64_t client_page_html_length, client_page_style_length, client_page_script_length;

/* Nothing but these files may be part of the page, whatever it may be made to hold. */
static const char policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

static void answer(struct http_exchange *exchange, const char *type, const char *bytes, uint64_t length)
{
    http_add_header(exchange, "Content-Security-Policy", text_of(policy));
    http_add_header(exchange, "X-Content-Type-Options", text_of("nosniff"));
    http_add_header(exchange, "Cache-Control", text_of("no-cache"));
    http_reply(exchange, HTTP_OK, type, (struct text){bytes, length});
}

void client_page_html(struct process *process, struct http_exchange *exchange,
                      const struct http_request *request, struct text id)
{
    (void)process, (void)request, (void)id;
    answer(exchange, "text/html; charset=utf-8", client_page_html_bytes, client_page_html_length);
}

void client_page_style(struct process *process, struct http_exchange *exchange,
                       const struct http_request *request, struct text id)
{
    (void)process, (void)request, (void)id;
    answer(exchange, "text/css; charset=utf-8", client_page_style_bytes, client_page_style_length);
}

void client_page_script(struct process *process, struct http_exchange *exchange,
                        const struct http_request *request, struct text id)
{
    (void)process, (void)request, (void)id;
    answer(exchange, "text/javascript; charset=utf-8", client_page_script_bytes, client_page_script_length);
}
