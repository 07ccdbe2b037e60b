"""Pictures: uploaded, checked and re-encoded before anybody is shown them."""
