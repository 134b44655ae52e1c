"""The fixed-point model as standard ONNX with QuantizeLinear and DequantizeLinear, for other toolchains."""
