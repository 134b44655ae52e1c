"""The generated experiment, as texts: a pure function of the compiled spec."""
