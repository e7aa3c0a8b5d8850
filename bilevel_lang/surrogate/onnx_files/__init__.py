"""Networks in ONNX files: a strict reader of files that nobody has to trust, and a writer with what a file has to tell."""
