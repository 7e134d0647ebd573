/* The files of the client's page as bytes of the program, and how many. */
    .section .rodata
    .global client_page_html_bytes, client_page_html_length
    .global client_page_style_bytes, client_page_style_length
    .global client_page_script_bytes, client_page_script_length
client_page_html_bytes:
    .incbin "paxos/page/page.html"
html_end:
client_page_style_bytes:
    .incbin "paxos/page/page.css"
style_end:
client_page_script_bytes:
    .incbin "paxos/page/words.js"
    .incbin "paxos/page/elements.js"
    .incbin "paxos/page/server.js"
    .incbin "paxos/page/cluster.js"
    .incbin "paxos/page/links.js"
    .incbin "paxos/page/detail.js"
    .incbin "paxos/page/forms.js"
    .incbin "paxos/page/lists.js"
    .incbin "paxos/page/page.js"
script_end:
    .balign 8
client_page_html_length:
    .quad html_end - client_page_html_bytes
client_page_style_length:
    .quad style_end - client_page_style_bytes
client_page_script_length:
    .quad script_end - client_page_script_bytes
    .section .note.GNU-stack, "", %progbits
