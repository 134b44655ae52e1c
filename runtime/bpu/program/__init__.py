"""What a compiled network is: instructions on modelled memories, and the container that holds them."""
