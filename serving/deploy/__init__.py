"""What takes a pushed SavedModel to production: image, Compose file, Kubernetes manifests.

from serving.deploy import deployment, folder
planned = deployment.plan(Path("out/reviews/serving/reviews"), tf_serving="2.12")
folder.write(planned, Path("deploy/reviews"))
"""
