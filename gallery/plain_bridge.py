"""Stand-in until gallery.bridges.gradio is there."""


def mount(inner, blocks, entry, *, find, state, base):
    import gradio as gr
    path = f"/demo/{entry.slug}"
    gr.mount_gradio_app(inner, blocks, path=path, root_path=f"{base}{path}", ssr_mode=False, run_history=False, footer_links=[])
