"""Why a diagnosis: through which labs its score rises, beside what physiology knows of them."""
