"""An OpenCL device for Genesis."""
