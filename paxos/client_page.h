/* The page that shows the cluster: its files, which are bytes of the program (paxos/page/page.S). */
#ifndef ORDEM_PAXOS_CLIENT_PAGE_H
#define ORDEM_PAXOS_CLIENT_PAGE_H

#include "common/net/http_server.h"
#include "paxos/process.h"

/* GET / , /page.css and /page.js */
process_handler client_page_html;
process_handler client_page_style;
process_handler client_page_script;

#endif
