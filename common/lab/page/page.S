/* The page's style and script as bytes of the program, and how many. */
    .section .rodata
    .global page_style, page_style_length, page_script, page_script_length
page_style:
    .incbin "common/lab/page/page.css"
page_style_end:
page_script:
    .incbin "common/lab/page/run.js"
    .incbin "common/lab/page/sheet.js"
    .incbin "common/lab/page/draw.js"
    .incbin "common/lab/page/view.js"
    .incbin "common/lab/page/panel.js"
    .incbin "common/lab/page/tables.js"
    .incbin "common/lab/page/plots.js"
    .incbin "common/lab/page/matrix.js"
    .incbin "common/lab/page/page.js"
page_script_end:
    .balign 8
page_style_length:
    .quad page_style_end - page_style
page_script_length:
    .quad page_script_end - page_script
    .section .note.GNU-stack, "", %progbits
