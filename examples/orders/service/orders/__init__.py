"""An orders service: an API that takes orders, and a worker that carries them out."""
