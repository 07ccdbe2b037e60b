"""What is offered: products, their stock and pictures, categories, activities."""
