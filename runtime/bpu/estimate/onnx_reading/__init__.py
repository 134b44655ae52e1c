"""Float ONNX files, read within bounds."""
