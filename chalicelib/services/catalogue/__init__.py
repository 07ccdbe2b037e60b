"""What is offered: products, activities and their stock; stores and freight."""
